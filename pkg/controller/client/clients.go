package client

import (
	"cmp"
	"fmt"
	"net/http"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/transport"
)

// Clients are all clients of one API server. They have one transport, so one HTTP/2 connection serves them all, and one
// bound on their requests; discovery has one of its own. They may be used concurrently.
type Clients struct {
	// Typed knows the built-in resources. It speaks protobuf unless the config names a content type.
	Typed kubernetes.Interface

	// Dynamic knows all resources, as unstructured objects.
	Dynamic dynamic.Interface

	// Metadata knows all resources, but reads nothing of them except their metadata.
	Metadata metadata.Interface

	// Discovery says which resources the server has. It asks once and remembers, until Invalidate.
	Discovery discovery.CachedDiscoveryInterface

	// Mapper says which resource a kind is. A kind that Discovery does not remember makes it ask again, at most once in
	// 5 s, so that a new CustomResourceDefinition is found.
	Mapper meta.ResettableRESTMapper

	config   *rest.Config
	http     *http.Client
	shared   transport.Layer // what Wrap has not wrapped
	limited  bool            // by a limiter of the config's own
	warnings *Warnings
}

// New returns clients for a config, for instance of [Load]. They share their connections with no others in the process.
// Without bounds in the config they have those of [Options]. A config with a warning handler keeps it.
func New(config *rest.Config) (*Clients, error) {
	config = rest.CopyConfig(config)
	separate(config)
	if config.QPS == 0 {
		config.QPS, config.Burst = DefaultQPS, cmp.Or(config.Burst, DefaultBurst)
	}
	if config.UserAgent == "" {
		config.UserAgent = UserAgent("", "")
	}
	base, err := rest.TransportFor(config)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	c := &Clients{config: config, shared: transport.Layer{Next: base}, limited: config.RateLimiter != nil, warnings: warningsOf(config)}
	c.http = &http.Client{Transport: listener{c.shared}, Timeout: config.Timeout}
	if err := c.discover(); err != nil {
		return nil, err
	}
	if err := c.build(); err != nil {
		return nil, err
	}
	return c, nil
}

// warningsOf returns those of the config. If it has no handler it gets one.
func warningsOf(config *rest.Config) *Warnings {
	if config.WarningHandlerWithContext == nil && config.WarningHandler == nil {
		config.WarningHandlerWithContext = &Warnings{}
	}
	if warnings, ok := config.WarningHandlerWithContext.(*Warnings); ok {
		return warnings
	}
	return &Warnings{} // counts nothing
}

func (c *Clients) discover() error {
	client, err := discovery.NewDiscoveryClientForConfigAndClient(c.config, c.http)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	catalog, err := newCatalog(client)
	if err != nil {
		return err
	}
	c.Discovery, c.Mapper = catalog, restmapper.NewDeferredDiscoveryRESTMapper(catalog)
	return nil
}

// build makes the clients that write.
func (c *Clients) build() (err error) {
	if c.config.QPS > 0 && !c.limited {
		c.config.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(c.config.QPS, cmp.Or(c.config.Burst, DefaultBurst))
	}
	if c.Typed, err = kubernetes.NewForConfigAndClient(protobuf(c.config), c.http); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	if c.Dynamic, err = dynamic.NewForConfigAndClient(c.config, c.http); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	if c.Metadata, err = metadata.NewForConfigAndClient(c.config, c.http); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	return nil
}

// protobuf prefers it where nothing else is wished.
func protobuf(config *rest.Config) *rest.Config {
	if config.ContentType != "" {
		return config
	}
	config = rest.CopyConfig(config)
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	return config
}

// REST returns a client for requests made by hand, below /api/v1 or /apis/<group>/<version>. It decodes the built-in types,
// and others into what it is given.
func (c *Clients) REST(version schema.GroupVersion) (rest.Interface, error) {
	config := rest.CopyConfig(c.config)
	config.GroupVersion, config.APIPath = &version, "/apis"
	if version.Group == "" {
		config.APIPath = "/api"
	}
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	client, err := rest.RESTClientForConfigAndClient(config, c.http)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return client, nil
}

// Config returns a copy of the config, for clients of the user's own. With [Clients.HTTPClient] they have the same
// connections, and in any case the same bound on requests:
//
//	mine, err := versioned.NewForConfigAndClient(clients.Config(), clients.HTTPClient())
func (c *Clients) Config() *rest.Config { return rest.CopyConfig(c.config) }

// HTTPClient returns the client that all clients have.
func (c *Clients) HTTPClient() *http.Client { return c.http }

// Warnings says what the API server has warned these clients of.
func (c *Clients) Warnings() WarningStatus { return c.warnings.Status() }

// Invalidate makes Discovery and Mapper forget what the server has.
func (c *Clients) Invalidate() { c.Mapper.Reset() }

// Wrap returns clients whose requests go through another transport first, for instance one that lets nobody write without
// the lease. They have the connections, the discovery and the warnings of c, but a bound on requests of their own, so they
// never hold up what is done with c, for instance the renewal of the lease. All clients made of their Config are wrapped
// too.
func (c *Clients) Wrap(wrap func(http.RoundTripper) http.RoundTripper) (*Clients, error) {
	wrapped := *c
	wrapped.http = new(*c.http)
	wrapped.http.Transport = wrap(c.http.Transport)
	wrapped.config = rest.CopyConfig(c.config)
	wrapped.config.Wrap(wrap)
	return &wrapped, wrapped.build()
}

// CloseIdle closes the connections that no request uses, also those of clients that were wrapped. Others are closed when
// their last request has ended and CloseIdle is called again; the next request opens a new one.
func (c *Clients) CloseIdle() { c.shared.CloseIdleConnections() }
