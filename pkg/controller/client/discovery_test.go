package client

import (
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	fakediscovery "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/restmapper"
)

// A world is a server whose kinds change, and what asks it.
type world struct {
	t      *testing.T
	server *fakediscovery.FakeDiscovery
	mapper meta.ResettableRESTMapper
}

func newWorld(t *testing.T) *world {
	t.Helper()
	server := fake.NewClientset().Discovery().(*fakediscovery.FakeDiscovery)
	catalog, err := newCatalog(server)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, server, restmapper.NewDeferredDiscoveryRESTMapper(catalog)}
}

// install lets the server have kind X.
func (w *world) install() {
	w.server.Resources = append(w.server.Resources, &metav1.APIResourceList{
		GroupVersion: "example.com/v1", APIResources: []metav1.APIResource{{Name: "xs", Kind: "X", Version: "v1", Group: "example.com"}},
	})
}

// asked returns how often the server was asked for its groups.
func (w *world) asked() (n int) {
	for _, action := range w.server.Actions() {
		if action.GetResource().Resource == "group" {
			n++
		}
	}
	return n
}

// finds checks whether kind X is known.
func (w *world) finds(want bool) {
	w.t.Helper()
	_, err := w.mapper.RESTMapping(schema.GroupKind{Group: "example.com", Kind: "X"})
	if found := err == nil; found != want {
		w.t.Errorf("found is %v, want %v: %v", found, want, err)
	}
	if err != nil && !meta.IsNoMatchError(err) {
		w.t.Error(err)
	}
}

func TestNewKindIsFoundAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.finds(false)
		first := w.asked()
		for range 1000 { // a reconcile that fails quickly
			w.finds(false)
		}
		if got := w.asked(); got != first {
			t.Errorf("the server was asked %d times more, want not at all", got-first)
		}
		w.install()
		w.finds(false)
		time.Sleep(discoveryPause)
		w.finds(true)
		for range 3 { // again and again, not just once
			time.Sleep(discoveryPause)
			before := w.asked()
			if _, err := w.mapper.RESTMapping(schema.GroupKind{Kind: "Y"}); !meta.IsNoMatchError(err) {
				t.Error(err)
			}
			if w.asked() == before {
				t.Error("the server was not asked for a kind that is unknown")
			}
		}
	})
}

func TestInvalidateAsksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.finds(false)
		w.install()
		w.finds(false)
		w.mapper.Reset()
		w.finds(true)
	})
}
