package integration_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// late runs a keeper whose cache of ConfigMaps sees nothing new until the barrier is lifted, has it create one for each of the
// CronTabs, and changes these meanwhile.
func late(t *testing.T, config controller.Config[key], names []string, created func(*scene)) (world, *scene, *barrier) {
	t.Helper()
	w := newWorld(t)
	p := newProxy(t, w.config)
	k := newKeeper(w.namespace, w.clients, newClients(t, p.config("keeper")), w.clients, cache.Config{})
	config.Workers, config.Reconcile = 4, k.keepAny
	s := k.play(t, config)
	s.ready()
	p.answers.lower(isWatch)
	w.wish("image:1", names...)
	w.converges("image:1", names...)
	created(s)
	if got := k.kept.Indexer().Len(); got > 1 { // there is one that the controller manager makes
		t.Fatalf("the cache is not late, it has %d ConfigMaps", got)
	}
	w.change("image:2", names...)
	return w, s, &p.answers
}

// A keeper creates one ConfigMap for each CronTab, however late its cache is: a key waits until the cache has what was created
// for it, and others don't.
func TestNothingIsCreatedTwice(t *testing.T) {
	names := names(20)
	w, s, watch := late(t, controller.Config[key]{}, names, func(s *scene) {
		controlplanetest.AwaitTrue(s.t, "all keys wait for the cache", func() bool { return s.controller.Status().Settling == len(names) })
	})
	s.runsAgain(len(names))
	if got := s.controller.Status(); got.Reconciles != len(names) || got.Settling != len(names) {
		t.Errorf("the cache is late and keys ran again: %+v", got)
	}
	w.converges("image:1", names...)
	watch.lift()
	w.converges("image:2", names...)
	if got, status := s.controller.Status(), s.writer.Status(); got.Unsettled > 0 || status.Created != len(names) {
		t.Errorf("status %+v, writes %+v; want %d created, and that all was seen", got, status, len(names))
	}
}

// Nobody waits for the cache, so the same scene does create two. It shows that the test before can fail.
func TestUnprotectedCreatesTwice(t *testing.T) {
	names := names(5)
	w, s, watch := late(t, controller.Config[key]{SettleTimeout: -1}, names, func(*scene) {})
	controlplanetest.Await(t, func(ctx context.Context) error {
		kept, err := w.kept(ctx)
		for _, name := range names {
			if len(kept[name]) < 2 {
				return fmt.Errorf("for %q there are %q, want two: %w", name, kept[name], err)
			}
		}
		return err
	})
	watch.lift()
	controlplanetest.AwaitTrue(t, "the cache has all", func() bool {
		return !slices.ContainsFunc(names, func(name string) bool { return s.owned.Count(name) < 2 })
	})
}

// runsAgain waits until n keys are running, or settling, and are to run again right after.
func (s *scene) runsAgain(n int) {
	s.t.Helper()
	controlplanetest.Await(s.t, func(context.Context) error {
		again := 0
		for _, info := range s.controller.Queue().Inspect(-1).Running {
			if info.Next == queue.Ready {
				again++
			}
		}
		if again != n {
			return fmt.Errorf("%d keys run again, want %d", again, n)
		}
		return nil
	})
}
