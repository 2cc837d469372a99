package integration_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/sluice-k8s/sluice/hack/controlplane"
	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/cache"
)

// Objects change before, while and after the API server is away. Nothing is lost. What its watch cache no longer has is
// listed, once for each time it was away.
func TestAPIServerIsKilled(t *testing.T) {
	plane, server := newPlane(t)
	h := configMaps(t, server, server.newNamespace(t))
	h.puts("first")
	s := opened(t, configMapsSource(h), h.resource, cache.Config{})
	rest := h.busy()
	for range 2 {
		h.puts("before")
		plane.kill(controlplane.APIServer)
		s.ended("watch unreachable", s.status().Endings["watch unreachable"]+1)
		plane.start(controlplane.APIServer)
		h.puts("after")
		s.connected()
	}
	rest()
	s.converges()
	s.relists(map[string]int{"start": 1, "version expired": 2})
	s.ready()
}

// An API server that was started again has the versions since then only. An informer that needs no others lists nothing.
func TestResumesWhereTheServerCan(t *testing.T) {
	plane, server := newPlane(t)
	h := configMaps(t, server, server.newNamespace(t))
	h.puts("first")
	s := opened(t, configMapsSource(h), h.resource, cache.Config{})
	h.puts("last") // nobody writes after that, most probably
	s.converges()
	plane.kill(controlplane.APIServer)
	s.ended("watch unreachable", 1)
	last := s.informer.Indexer().ResourceVersion()
	plane.start(controlplane.APIServer)
	s.connected()
	h.puts("after")
	s.converges()
	permitted := map[string]int{"start": 1}
	if h.expired(last) {
		permitted["version expired"] = 1
	}
	s.relists(permitted)
}

// configMapsSource is behind the gate.
func configMapsSource(h hand) cache.ListerWatcher[configMap] {
	return cache.FromClient(h.server.behind.CoreV1().ConfigMaps(h.namespace))
}

// expired says whether the server refuses to watch from the version.
func (h hand) expired(version string) bool {
	h.t.Helper()
	opts := metav1.ListOptions{ResourceVersion: version, TimeoutSeconds: new(int64(1))}
	w, err := h.server.client.CoreV1().ConfigMaps(h.namespace).Watch(h.t.Context(), opts)
	if err != nil {
		h.t.Fatal(err)
	}
	defer w.Stop()
	event, ok := <-w.ResultChan()
	return ok && event.Type == watch.Error && apierrors.IsResourceExpired(apierrors.FromObject(event.Object))
}

func TestAPIServerIsRolled(t *testing.T) {
	plane, server := newPlane(t)
	h := configMaps(t, server, server.newNamespace(t))
	h.puts("first")
	s := opened(t, configMapsSource(h), h.resource, cache.Config{})
	rest := h.busy()
	plane.stop(controlplane.APIServer)
	s.ended("watch closed", 1)
	plane.start(controlplane.APIServer)
	h.puts("after")
	rest()
	s.converges()
	s.relists(map[string]int{"start": 1, "version expired": 1})
	s.ready()
}

// Etcd does not have the versions any more that the informer has not seen, and no watch cache of the API server helps out.
func TestVersionsAreCompacted(t *testing.T) {
	own := controlplanetest.Own(t, controlplane.Options{APIServerArgs: []string{"--watch-cache=false"}})
	misses(t, plane{own, t}, newServer(t, controlplanetest.OwnConfig(t, own)), "the provided watch is too old", plane.compact)
}

// The API server was started again, and its watch cache begins after the versions that the informer has not seen.
func TestWatchCacheBeginsAnew(t *testing.T) {
	shared, server := newPlane(t)
	misses(t, shared, server, "too old resource version", func(p plane) {
		p.kill(controlplane.APIServer)
		p.start(controlplane.APIServer)
	})
}

// misses lets changes happen while an informer can't watch, and then has them forgotten. The server refuses with the words to go
// on from where the informer was. What was deleted meanwhile nobody has seen.
func misses(t *testing.T, plane plane, server server, words string, forget func(plane)) {
	t.Helper()
	h := configMaps(t, server, server.newNamespace(t))
	h.puts("kept", "removed")
	config, refusals := soon, new(atomic.Int32)
	config.OnError = func(_ context.Context, err error) {
		if apierrors.IsResourceExpired(err) && strings.Contains(err.Error(), words) {
			refusals.Add(1)
		}
	}
	s := opened(t, configMapsSource(h), h.resource, config)
	s.converges()
	h.elsewhere(1)
	server.gate.closed.Store(true)
	s.ended("watch unreachable", 1)
	h.removes("removed")
	h.puts("kept", "new")
	forget(plane)
	server.gate.closed.Store(false)
	s.converges()
	if got := s.replay.unseen(); got != 1 {
		t.Errorf("%d deletions have an unknown final state, want 1", got)
	}
	s.listed("version expired")
	s.relists(map[string]int{"start": 1, "version expired": 1})
	if got := s.status(); got.Endings["watch expired"] == 0 || refusals.Load() == 0 {
		t.Errorf("no watch was answered 410 with %q: %+v", words, got)
	}
}

// A betweenPages source does something when the second page of a list is asked for.
type betweenPages struct {
	cache.ListerWatcher[configMap]

	done atomic.Bool
	do   func()
}

func (s *betweenPages) List(ctx context.Context, opts metav1.ListOptions) (cache.Page[configMap], error) {
	if opts.Continue != "" && s.done.CompareAndSwap(false, true) {
		s.do()
	}
	return s.ListerWatcher.List(ctx, opts)
}

// The second page of a list is of a version that is gone. No page of two versions makes one list.
func TestPagesAreCompacted(t *testing.T) {
	plane, server := newPlane(t)
	h := configMaps(t, server, server.newNamespace(t))
	h.puts("a", "b", "c", "d", "e")
	asked, served := make(chan struct{}), make(chan struct{})
	source := &betweenPages{ListerWatcher: configMapsSource(h), do: func() { close(asked); <-served }}
	s := open(t, source, h.resource, cache.Config{PageSize: 2})
	<-asked
	h.removes("a")
	h.puts("e", "f")
	plane.kill(controlplane.APIServer)
	plane.compact()
	plane.start(controlplane.APIServer)
	close(served)
	s.sync()
	s.converges()
	s.listed("page expired")
	s.relists(map[string]int{"start": 1, "page expired": 1})
	if s.replay.count(cache.Deleted) > 0 {
		t.Error("an object of the first page was told that was gone before the list")
	}
}
