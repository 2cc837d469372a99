package integration_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/hack/controlplane"
	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/cache"
)

// The server is restored from a backup: its versions are lower than those that were seen, and what happened since the backup
// has never happened. The watch that is resumed brings nothing at all, not even an error.
func TestServerIsRestored(t *testing.T) {
	plane, server := newPlane(t)
	plane.without(controlplane.ControllerManager) // nobody knows how much it writes
	h := configMaps(t, server, server.newNamespace(t))
	h.puts("untouched", "changed", "removed", "recreated")
	backup, err := plane.Backup(t.Context())
	plane.must(err)
	config := cache.Config{Silence: 2 * time.Second}
	streamed := opened(t, configMapsSource(h), h.resource, config)
	listed := opened(t, cache.FromDynamic(h.resource), h.resource, config)
	h.puts("changed", "new")
	h.removes("removed", "recreated")
	h.puts("recreated")
	h.elsewhere(100) // far more than the API server writes by itself while a test is patient
	h.puts("last")
	streamed.converges()
	listed.converges()
	seen := number(t, streamed.informer.Indexer().ResourceVersion())
	waiting := waitForever(t, streamed, seen)

	server.gate.closed.Store(true) // the other informer is there at once
	plane.must(plane.Restore(t.Context(), backup))
	h.puts("new", "changed")
	h.removes("untouched")
	server.gate.closed.Store(false)
	if now := h.version(); now >= seen {
		t.Fatalf("the server is at version %d already, and %d was seen: nobody can know that it was restored", now, seen)
	}
	followsRestore(streamed)
	followsRestore(listed)
	if err := <-waiting; !errors.Is(err, cache.ErrNewEpoch) {
		t.Errorf("who waited for a version got %v, want %v", err, cache.ErrNewEpoch)
	}
	h.puts("changed", "after")
	streamed.converges()
	listed.converges()
}

func followsRestore[T cache.Object](s *scene[T]) {
	s.t.Helper()
	controlplanetest.AwaitTrue(s.t, "an epoch", func() bool { return s.status().Epochs > 0 })
	s.converges()
	s.ready()
	s.listed("versions went back")
	if got := s.status().Epochs; got != 1 {
		s.t.Errorf("%d epochs, want 1: %+v", got, s.status())
	}
	if s.replay.ofNewEpoch() == 0 {
		s.t.Error("no event belongs to the new epoch")
	}
}

// number reads a resource version.
func number(t *testing.T, version string) int {
	t.Helper()
	n, err := strconv.Atoi(version)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// waitForever waits for a version that is not to come, after the one that is seen.
func waitForever[T cache.Object](t *testing.T, s *scene[T], seen int) <-chan error {
	t.Helper()
	result := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() { result <- s.informer.Indexer().WaitUntil(ctx, strconv.Itoa(seen+1_000_000)) }()
	return result
}
