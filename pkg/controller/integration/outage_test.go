package integration_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/hack/controlplane"
	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

// kill kills a part. It is there again at the end of the test, for the next.
func (w world) kill(part controlplane.Part) {
	w.t.Helper()
	w.must(w.plane.KillPart(w.t.Context(), part))
	w.t.Cleanup(func() {
		if w.t.Failed() {
			_ = w.plane.StartPart(context.Background(), part) // it may run
		}
	})
}

// revive starts a part that was killed.
func (w world) revive(part controlplane.Part) {
	w.t.Helper()
	w.must(w.plane.StartPart(w.t.Context(), part))
}

// The API server is killed while all workers are about to write, and all other keys wait for one. The controller slows down,
// says why, and asks no more than now and then. When the server is back it does what was left.
func TestAPIServerIsKilled(t *testing.T) {
	const workers, threshold = 4, 5
	w := newWorld(t)
	k := w.newKeeper()
	proceed := make(chan struct{}, 1)
	proceed <- struct{}{}
	s := k.play(t, controller.Config[key]{
		Workers: workers,
		Breaker: controller.Breaker{Threshold: threshold, MinWait: minWait, MaxWait: maxWait},
		Reconcile: func(ctx context.Context, key key) controller.Result {
			proceed <- <-proceed
			return k.keep(ctx, key)
		},
	})
	names := names(50)
	w.wish("image:1", names...)
	w.converges("image:1", names...)
	s.settles()

	<-proceed
	w.change("image:2", names...)
	controlplanetest.AwaitTrue(t, "all keys are there", func() bool {
		got := s.controller.Status()
		return got.Running == workers && got.Ready == len(names)-workers
	})
	w.kill(controlplane.APIServer)
	began := time.Now()
	proceed <- struct{}{}
	s.slowsDown(3)
	got, bound := s.controller.Status(), threshold+workers+atMost(time.Since(began))
	t.Logf("%d reconciles were refused, at most %d are permitted: %v", got.Refused, bound, got.Slowed)
	if got.Refused > bound || got.Parked > 0 {
		t.Errorf("%d reconciles were refused, want at most %d: %+v", got.Refused, bound, got)
	}
	w.revive(controlplane.APIServer)
	w.converges("image:2", names...)
	s.settles()
	if got := s.controller.Status(); got.Slowed != nil {
		t.Errorf("it is slow because of %v", got.Slowed)
	}
}

// slowsDown waits until the controller has been slowed down so often, and is.
func (s *scene) slowsDown(often int) {
	s.t.Helper()
	controlplanetest.Await(s.t, func(context.Context) error {
		got := s.controller.Status()
		if got.SlowedDown < often {
			return fmt.Errorf("slowed down %d times, want %d: %+v", got.SlowedDown, often, got)
		}
		if got.Slowed == nil {
			return errors.New("it says no reason")
		}
		return nil
	})
}

// The API server is killed in the middle of a storm, and of what the controller does. Nobody knows then which of the last
// writes were carried out; what is wished is there at the end all the same, once.
func TestAPIServerIsKilledInAStorm(t *testing.T) {
	w := newWorld(t)
	s := w.newKeeper().play(t, controller.Config[key]{Workers: 4, Breaker: controller.Breaker{MinWait: minWait, MaxWait: maxWait}})
	names := names(50)
	w.wish("image:1", names...)
	w.converges("image:1", names...)
	rest := w.spoil(names)
	w.change("image:2", names...)
	w.kill(controlplane.APIServer)
	w.revive(controlplane.APIServer)
	rest()
	w.converges("image:2", names...)
	s.settles()
}

// spoil changes what a keeper keeps, at random and whether the API server is there or not, until rest is called.
func (w world) spoil(names []string) (rest func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			name, patch := names[rand.N(len(names))], []byte(`{"data":{"image":"spoilt"}}`)
			_, _ = w.core.CoreV1().ConfigMaps(w.namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
		}
	})
	rest = func() {
		cancel()
		running.Wait()
	}
	w.t.Cleanup(rest)
	return rest
}
