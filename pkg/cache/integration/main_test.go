package integration_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/controlplane"
	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
)

func TestMain(m *testing.M) { os.Exit(controlplanetest.RunCheckingLeaks(m)) }

// A server is an API server, and the administrator's clients of it.
type server struct {
	config  *rest.Config
	client  kubernetes.Interface
	dynamic dynamic.Interface
	gate    *gate
	behind  kubernetes.Interface // a client behind the gate
}

func newServer(t *testing.T, config *rest.Config) server {
	t.Helper()
	httpClient := controlplanetest.HTTPClient(t, config)
	client, err := kubernetes.NewForConfigAndClient(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	dyn, err := dynamic.NewForConfigAndClient(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{}
	return server{config, client, dyn, g, controlplanetest.Clientset(t, g.guard(config))}
}

// A gate keeps clients from asking while it is closed. What they have been answered before goes on.
type gate struct{ closed atomic.Bool }

func (g *gate) guard(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.WrapTransport = func(base http.RoundTripper) http.RoundTripper {
		return roundTrip(func(request *http.Request) (*http.Response, error) {
			if g.closed.Load() {
				return nil, errors.New("the gate is closed")
			}
			return base.RoundTrip(request)
		})
	}
	return config
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// newNamespace makes a namespace for a test and returns its name. The controller manager may take long to notice, when it has
// lost the API server before, so nothing of what it makes is to be relied on.
func (s server) newNamespace(t *testing.T) string {
	t.Helper()
	namespaces := s.client.CoreV1().Namespaces()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "cache-"}}
	namespace, err := namespaces.Create(t.Context(), namespace, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := namespaces.Delete(context.Background(), namespace.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	return namespace.Name
}

// A plane is the control plane that the tests share.
type plane struct {
	*controlplane.ControlPlane

	t *testing.T
}

func newPlane(t *testing.T) (plane, server) {
	t.Helper()
	p := plane{controlplanetest.Plane(t), t}
	return p, newServer(t, controlplanetest.Config(t))
}

func (p plane) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p plane) kill(part controlplane.Part) {
	p.t.Helper()
	p.must(p.KillPart(p.t.Context(), part))
}

func (p plane) stop(part controlplane.Part) {
	p.t.Helper()
	p.must(p.StopPart(p.t.Context(), part))
}

func (p plane) start(part controlplane.Part) {
	p.t.Helper()
	p.must(p.StartPart(p.t.Context(), part))
}

// without stops a part until the test ends.
func (p plane) without(part controlplane.Part) {
	p.t.Helper()
	p.stop(part)
	p.t.Cleanup(func() { p.must(p.StartPart(context.Background(), part)) })
}

func (p plane) compact() {
	p.t.Helper()
	_, err := p.Compact(p.t.Context())
	p.must(err)
}
