package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/controller/client"
)

// A log is the requests that a server was asked.
type log struct {
	mu       sync.Mutex
	requests []*http.Request
}

// logging answers everything with an object that has a name and a kind.
func logging(t *testing.T) (*server, *log) {
	t.Helper()
	l := &log{}
	return serve(t, func(w http.ResponseWriter, request *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.requests = append(l.requests, request)
		w.Header().Set("Content-Type", "application/json")
		flush(w, `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"settings"}}`)
	}), l
}

func (l *log) last() *http.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requests[len(l.requests)-1]
}

var configMaps = corev1.SchemeGroupVersion.WithResource("configmaps")

// use makes a request with each of the clients.
func use(t *testing.T, clients *client.Clients) {
	t.Helper()
	ctx, name, options := t.Context(), "settings", metav1.GetOptions{}
	_, typed := clients.Typed.CoreV1().ConfigMaps("shop").Get(ctx, name, options)
	_, dynamic := clients.Dynamic.Resource(configMaps).Namespace("shop").Get(ctx, name, options)
	_, metadata := clients.Metadata.Resource(configMaps).Namespace("shop").Get(ctx, name, options)
	_, discovery := clients.Discovery.ServerVersion()
	core, err := clients.REST(corev1.SchemeGroupVersion)
	if err != nil {
		t.Fatal(err)
	}
	raw := core.Get().Namespace("shop").Resource("configmaps").Name(name).Do(ctx).Into(&corev1.ConfigMap{})
	mine, err := kubernetes.NewForConfigAndClient(clients.Config(), clients.HTTPClient())
	if err != nil {
		t.Fatal(err)
	}
	_, own := mine.CoreV1().ConfigMaps("shop").Get(ctx, name, options)
	if err := errors.Join(typed, dynamic, metadata, discovery, raw, own); err != nil {
		t.Error(err)
	}
}

func TestAllClientsShareOneConnection(t *testing.T) {
	s, l := logging(t)
	clients := s.dial(t, client.Options{})
	use(t, clients)
	wrapped, err := clients.Wrap(func(next http.RoundTripper) http.RoundTripper { return next })
	if err != nil {
		t.Fatal(err)
	}
	use(t, wrapped)
	if all, _ := s.connections(); all != 1 || len(l.requests) != 12 {
		t.Errorf("%d requests took %d connections, want 12 and 1", len(l.requests), all)
	}
	use(t, s.dial(t, client.Options{}))
	if all, _ := s.connections(); all != 2 {
		t.Errorf("two bundles took %d connections, want one each", all)
	}
}

func TestCloseIdleClosesTheConnection(t *testing.T) {
	closers := map[string]func(clients, wrapped *client.Clients){
		"of the clients":     func(clients, _ *client.Clients) { clients.CloseIdle() },
		"of wrapped clients": func(_, wrapped *client.Clients) { wrapped.CloseIdle() },
		"of the HTTP client": func(clients, _ *client.Clients) { clients.HTTPClient().CloseIdleConnections() },
	}
	for name, closeIdle := range closers {
		t.Run(name, func(t *testing.T) {
			s, _ := logging(t)
			clients := s.dial(t, client.Options{})
			wrapped, err := clients.Wrap(func(next http.RoundTripper) http.RoundTripper { return opaque{next} })
			if err != nil {
				t.Fatal(err)
			}
			use(t, wrapped)
			closeIdle(clients, wrapped)
			controlplanetest.Await(t, func(context.Context) error {
				if all, closed := s.connections(); all != 1 || closed != 1 {
					return fmt.Errorf("%d of %d connections are closed", closed, all)
				}
				return nil
			})
		})
	}
}

// opaque hides what is below.
type opaque struct{ http.RoundTripper }

// A fence lets no write through.
type fence struct{ next http.RoundTripper }

var errFence = errors.New("the lease is lost")

func (f fence) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodGet {
		return nil, errFence
	}
	return f.next.RoundTrip(request)
}

func TestWrapHoldsForAllClients(t *testing.T) {
	s, _ := logging(t)
	clients := s.dial(t, client.Options{})
	fenced, err := clients.Wrap(func(next http.RoundTripper) http.RoundTripper { return fence{next} })
	if err != nil {
		t.Fatal(err)
	}
	use(t, fenced)
	ctx, options := t.Context(), metav1.DeleteOptions{}
	core, err := fenced.REST(corev1.SchemeGroupVersion)
	if err != nil {
		t.Fatal(err)
	}
	own, err := kubernetes.NewForConfig(fenced.Config()) // not of our HTTP client
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"typed":    fenced.Typed.CoreV1().ConfigMaps("shop").Delete(ctx, "settings", options),
		"dynamic":  fenced.Dynamic.Resource(configMaps).Namespace("shop").Delete(ctx, "settings", options),
		"metadata": fenced.Metadata.Resource(configMaps).Namespace("shop").Delete(ctx, "settings", options),
		"REST":     core.Delete().AbsPath("/api/v1/nodes/n1").Do(ctx).Error(),
		"own":      own.CoreV1().ConfigMaps("shop").Delete(ctx, "settings", options),
	} {
		if !errors.Is(err, errFence) {
			t.Errorf("%s: a delete returned %v, want the fence", name, err)
		}
	}
	if err := clients.Typed.CoreV1().ConfigMaps("shop").Delete(ctx, "settings", options); err != nil {
		t.Errorf("the clients that are not wrapped: %v", err)
	}
}

func TestWrappedClientsDoNotHoldUpTheOthers(t *testing.T) {
	s, _ := logging(t)
	limiter := func(clients *client.Clients) flowcontrol.RateLimiter {
		core, err := clients.REST(corev1.SchemeGroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		if typed := clients.Typed.CoreV1().RESTClient().GetRateLimiter(); typed != core.GetRateLimiter() {
			t.Error("two clients of one bundle have a limiter each")
		}
		return core.GetRateLimiter()
	}
	tests := map[string]struct {
		change        func(*rest.Config)
		shared, bound bool
	}{
		"bounds of the options": {func(*rest.Config) {}, false, true},
		"limiter of one's own":  {func(c *rest.Config) { c.RateLimiter = flowcontrol.NewFakeNeverRateLimiter() }, true, true},
		"no bound":              {func(c *rest.Config) { c.QPS = -1 }, true, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			config := s.config()
			test.change(config)
			clients := dial(t, config)
			wrapped, err := clients.Wrap(func(next http.RoundTripper) http.RoundTripper { return next })
			if err != nil {
				t.Fatal(err)
			}
			one, other := limiter(clients), limiter(wrapped)
			if (one == other) != test.shared || (one != nil) != test.bound {
				t.Errorf("the limiters are %v and %v", one, other)
			}
		})
	}
}

func TestServerLearnsWhoAsksAndHow(t *testing.T) {
	s, l := logging(t)
	clients := s.dial(t, client.Options{})
	use(t, clients)
	agent, media := l.requests[0].UserAgent(), l.requests[0].Header.Get("Accept")
	if agent != client.UserAgent("", "") || !strings.HasPrefix(media, "application/vnd.kubernetes.protobuf,") {
		t.Errorf("a typed request comes from %q and accepts %q", agent, media)
	}
	if media := l.requests[1].Header.Get("Accept"); !strings.HasPrefix(media, "application/json") {
		t.Errorf("a dynamic request accepts %q", media)
	}
}

func TestTypedClientsSpeakProtobufUnlessTold(t *testing.T) {
	s, l := logging(t)
	for contentType, want := range map[string]string{"": "application/vnd.kubernetes.protobuf,application/json", "application/json": "application/json"} {
		config := s.config()
		config.ContentType = contentType
		if _, err := get(t.Context(), dial(t, config), "/by-hand"); err != nil {
			t.Fatal(err)
		}
		if got := l.last().Header.Get("Accept"); !strings.HasPrefix(got, want) {
			t.Errorf("with content type %q a request by hand accepts %q, want %q", contentType, got, want)
		}
	}
}

// What the options would set has a default all the same.
func TestAConfigOfOnesOwn(t *testing.T) {
	s, l := logging(t)
	use(t, dial(t, s.config()))
	if agent := l.last().UserAgent(); agent != client.UserAgent("", "") {
		t.Errorf("the request comes from %q", agent)
	}
	clients := dial(t, warner(t).config())
	if err := clients.Typed.CoreV1().RESTClient().Get().AbsPath("/old").Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
	if got := clients.Warnings().Total; got != 1 {
		t.Errorf("%d warnings are counted, want 1", got)
	}
	config := s.config()
	config.UserAgent = "mine"
	use(t, dial(t, config))
	if agent := l.last().UserAgent(); agent != "mine" {
		t.Errorf("the request comes from %q, want the config's own name", agent)
	}
}

func TestRESTFindsTheGroup(t *testing.T) {
	s, l := logging(t)
	clients := s.dial(t, client.Options{})
	for version, want := range map[schema.GroupVersion]string{
		{Version: "v1"}: "/api/v1/things/x",
		{Group: "stable.example.com", Version: "v1beta1"}: "/apis/stable.example.com/v1beta1/things/x",
	} {
		caller, err := clients.REST(version)
		if err != nil {
			t.Fatal(err)
		}
		if err := caller.Get().Resource("things").Name("x").Do(t.Context()).Error(); err != nil {
			t.Error(err)
		}
		if got := l.last().URL.Path; got != want {
			t.Errorf("the request of %v went to %s, want %s", version, got, want)
		}
	}
}

func TestConfigThatIsWrong(t *testing.T) {
	for name, config := range map[string]*rest.Config{
		"host": {Host: "https://a b"},
		"CA":   {Host: "https://localhost", TLSClientConfig: rest.TLSClientConfig{CAData: []byte("no certificate")}},
	} {
		if _, err := client.New(config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
