package integration_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/hack/controlplane/crd"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
)

const manifest = "../../generated/crds/stable.example.com_crontabs.yaml"

// A definition is that of the CronTabs.
type definition struct {
	t      *testing.T
	server server
	crds   dynamic.ResourceInterface
}

// newDefinition does not install it; the test removes it in any case.
func newDefinition(t *testing.T, s server) definition {
	t.Helper()
	d := definition{t, s, s.dynamic.Resource(schema.GroupVersionResource{
		Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
	})}
	t.Cleanup(d.remove)
	return d
}

// install returns when CronTabs are served.
func (d definition) install() {
	d.t.Helper()
	content, err := os.ReadFile(manifest)
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(d.t.Context(), controlplanetest.Patience)
	defer cancel()
	if err := crd.Install(ctx, d.server.config, content); err != nil {
		d.t.Fatal(err)
	}
}

// remove returns when the definition is gone.
func (d definition) remove() {
	d.t.Helper()
	controlplanetest.Await(d.t, func(ctx context.Context) error {
		switch err := d.crds.Delete(ctx, "crontabs.stable.example.com", metav1.DeleteOptions{}); {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		default:
			return errors.New("the definition is still there")
		}
	})
}

// patch changes the definition by a JSON patch.
func (d definition) patch(patch string) {
	d.t.Helper()
	_, err := d.crds.Patch(d.t.Context(), "crontabs.stable.example.com", types.JSONPatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		d.t.Fatal(err)
	}
}

func cronTabsSource(t *testing.T, h hand) cache.ListerWatcher[cronTab] {
	t.Helper()
	clients, err := versioned.NewForConfigAndClient(h.server.config, controlplanetest.HTTPClient(t, h.server.config))
	if err != nil {
		t.Fatal(err)
	}
	return cache.FromClient(clients.StableV1().CronTabs(h.namespace))
}

// An informer that starts before its definition says what is missing and begins when it is there. When the definition is
// removed the objects are, too, and the informer is not ready until it is back.
func TestDefinitionComesAndGoes(t *testing.T) {
	_, server := newPlane(t)
	h := cronTabs(t, server, server.newNamespace(t))
	d := newDefinition(t, server)
	s := open(t, cronTabsSource(t, h), h.resource, cache.Config{})
	s.unready("is the CRD installed?")
	notSynced(t, s, "is the CRD installed?")
	d.install()
	s.sync()
	h.puts("a", "b", "c")
	s.converges()
	d.remove()
	controlplanetest.AwaitTrue(t, "an empty cache", func() bool { return s.informer.Indexer().Len() == 0 })
	s.unready("is the CRD installed?")
	controlplanetest.AwaitTrue(t, "3 objects are told to be deleted", func() bool { return s.replay.count(cache.Deleted) == 3 })
	d.install()
	s.ready()
	h.puts("b", "d")
	s.converges()
	s.listed("resource not found")
	s.relists(map[string]int{"start": 1, "resource not found": 1, "version expired": 2})
}

// notSynced fails the test unless the informer says why it has not synced.
func notSynced[T cache.Object](t *testing.T, s *scene[T], words string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.informer.WaitForSync(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), words) {
		t.Errorf("it has not synced because of %v, want %q", err, words)
	}
}

// Whatever changes in a definition, the server ends the watches and forgets all versions.
func TestDefinitionChanges(t *testing.T) {
	_, server := newPlane(t)
	h := cronTabs(t, server, server.newNamespace(t))
	d := newDefinition(t, server)
	d.install()
	h.puts("a", "removed")
	s := opened(t, cronTabsSource(t, h), h.resource, cache.Config{})
	d.patch(`[{"op":"add","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/color","value":{"type":"string"}}]`)
	h.removes("removed")
	h.puts("a", "b")
	s.ended("watch closed", 1)
	h.puts("c")
	s.converges()
	s.ready()
	s.relists(map[string]int{"start": 1, "version expired": 1})
}

// The definition now allows a text where the Go type has a number, and somebody has stored one. That object is set aside, the
// others are not affected, and it is back as soon as it can be decoded.
func TestObjectIsNoLongerDecodable(t *testing.T) {
	_, server := newPlane(t)
	h := cronTabs(t, server, server.newNamespace(t))
	d := newDefinition(t, server)
	d.install()
	h.puts("drifting", "sound")
	before := opened(t, cronTabsSource(t, h), h.resource, cache.Config{})
	d.patch(`[{"op":"replace","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/startingDeadlineSeconds",` +
		`"value":{"x-kubernetes-int-or-string":true}}]`)
	controlplanetest.Await(t, func(ctx context.Context) error {
		return h.patch(ctx, "drifting", `{"spec":{"startingDeadlineSeconds":"soon"}}`)
	})
	late := opened(t, cronTabsSource(t, h), h.resource, cache.Config{})
	paged := opened(t, pages{cronTabsSource(t, h).(cache.Streamer[cronTab])}, h.resource, cache.Config{PageSize: 1})
	h.puts("sound", "new")
	for n, s := range []*scene[cronTab]{before, late, paged} {
		s.setsAside("drifting", n == 0)
	}
	h.patches("drifting", `{"spec":{"startingDeadlineSeconds":5}}`)
	for _, s := range []*scene[cronTab]{before, late, paged} {
		s.converges()
		s.ready()
		if got := s.status(); got.Quarantined != 0 || got.Failures == 0 || got.Skipped != 0 {
			t.Errorf("%d in quarantine, %d failures, %d skipped: %+v", got.Quarantined, got.Failures, got.Skipped, got)
		}
	}
}

// pages is a source that is listed.
type pages struct{ cache.Streamer[cronTab] }

func (pages) SendsInitialEvents() bool { return false }

// setsAside waits until everything but the object is in the cache. An informer that knew it keeps what it knew.
func (s *scene[T]) setsAside(name string, known bool) {
	s.t.Helper()
	controlplanetest.Await(s.t, func(ctx context.Context) error {
		want, err := s.list(ctx)
		if err != nil {
			return err
		}
		got := s.content()
		for key, id := range want {
			if key.Name != name {
				continue
			}
			delete(want, key)
			if q := s.informer.Indexer().Quarantined(); len(q) != 1 || q[0].Key != key || q[0].ResourceVersion != id.ResourceVersion {
				return errors.New("it is not in quarantine")
			}
			if _, cached := got[key]; cached != known {
				s.t.Fatalf("%s is cached: %t, want %t", key, cached, known)
			}
			delete(got, key)
		}
		return differ("cache", got, want)
	})
}
