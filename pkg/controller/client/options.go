package client

import (
	"cmp"
	"fmt"
	"time"

	"github.com/spf13/pflag" //nolint:depguard // this is where programs parse flags
	"k8s.io/client-go/rest"
)

// Options say where to look for the API server and how to talk to it. The zero value works.
type Options struct {
	// Kubeconfig is the path of a kubeconfig file, usually from the flag --kubeconfig. If set nothing else is looked at.
	Kubeconfig string

	// Context is the context of the kubeconfig to use. Defaults to its current context. It plays no part in a cluster.
	Context string

	// UserAgent names the program to the API server, in its audit log for instance. Defaults to [UserAgent] of the
	// program's own name and version.
	UserAgent string

	// QPS and Burst bound the requests per second: of each client made from the config, or of all clients of one [Clients]
	// together. They default to 50 and 100; a negative QPS means no bound. Watches don't count.
	QPS   float32
	Burst int

	// Timeout bounds each request from its beginning until its answer is read, except for those that are meant to last:
	// watches, logs, exec, attach, port-forward and proxy. Defaults to 1 min, which is when the API server itself gives up
	// (--request-timeout); negative means no bound. What takes longer ends with a [TimeoutError].
	Timeout time.Duration

	// PingInterval is how long an HTTP/2 connection may be silent before it is tested by a ping, and PingTimeout how long
	// the ping may take; then all requests of the connection fail, watches too. They default to 30 s and 15 s, or to the
	// seconds in the environment variables HTTP2_READ_IDLE_TIMEOUT_SECONDS (0 for no pings) and
	// HTTP2_PING_TIMEOUT_SECONDS, which client-go reads for the whole process. If one of the fields is set, clients
	// made from the config by client-go no longer share connections with each other; those of one [Clients] do.
	PingInterval, PingTimeout time.Duration
}

// The defaults of Options.
const (
	DefaultQPS     = 50
	DefaultBurst   = 100
	DefaultTimeout = time.Minute
)

// AddFlags adds flags with the names that kubectl and the components of Kubernetes use. Call it before the flags are
// parsed. What the options hold becomes the default.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Kubeconfig, "kubeconfig", o.Kubeconfig,
		"path of a kubeconfig file; without it the service account of the Pod, KUBECONFIG or ~/.kube/config says where the API server is")
	flags.StringVar(&o.Context, "context", o.Context, "context of the kubeconfig to use; its current one if empty")
	flags.Float32Var(&o.QPS, "kube-api-qps", cmp.Or(o.QPS, DefaultQPS), "requests to the API server per second; negative for no bound")
	flags.IntVar(&o.Burst, "kube-api-burst", cmp.Or(o.Burst, DefaultBurst), "requests to the API server at once, above --kube-api-qps")
	flags.DurationVar(&o.Timeout, "request-timeout", cmp.Or(o.Timeout, DefaultTimeout),
		"how long a request to the API server may take that is no watch; negative for no bound")
}

// Apply sets a config that was not found by [Load], for instance that of another cluster, to all that the options say but
// Kubeconfig and Context. Apply it once.
func (o *Options) Apply(config *rest.Config) error {
	if err := o.Validate(); err != nil {
		return err
	}
	config.UserAgent = cmp.Or(o.UserAgent, UserAgent("", ""))
	config.QPS, config.Burst = cmp.Or(o.QPS, DefaultQPS), cmp.Or(o.Burst, DefaultBurst)
	config.WarningHandlerWithContext = &Warnings{}
	if timeout := cmp.Or(o.Timeout, DefaultTimeout); timeout > 0 {
		config.Wrap(timeouts(timeout))
	}
	if o.PingInterval != 0 || o.PingTimeout != 0 {
		separate(config)
		config.Wrap(pings(o.PingInterval, o.PingTimeout))
	}
	return nil
}

// Validate returns an error that names the field that is wrong and what it may be. [Load] and Apply return it, too.
func (o *Options) Validate() error {
	switch {
	case o.Burst < 0:
		return fmt.Errorf("client: Options.Burst is %d; it must be 1 or more, or 0 for the default", o.Burst)
	case o.PingInterval < 0:
		return fmt.Errorf("client: Options.PingInterval is %v; it must be positive, or 0 for the default", o.PingInterval)
	case o.PingTimeout < 0:
		return fmt.Errorf("client: Options.PingTimeout is %v; it must be positive, or 0 for the default", o.PingTimeout)
	}
	return nil
}
