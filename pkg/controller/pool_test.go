package controller_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/internal/throttle"
)

func TestWorkersFollowTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running gauge
		c, stop := start(t, controller.Config[string]{
			Workers:    2,
			MaxWorkers: 8,
			Reconcile: func(_ context.Context, key string) controller.Result {
				running.add(1)
				defer running.add(-1)
				time.Sleep(10 * time.Second)
				return controller.Done()
			},
		})
		for n := range 100 {
			c.Enqueue(string(rune('a' + n)))
		}
		time.Sleep(time.Minute)
		status := c.Status()
		if most := running.most(); most != 8 || status.Workers != 8 {
			t.Errorf("%d keys ran at the same time, the status has %d workers; want 8", most, status.Workers)
		}
		if last := status.Scalings[len(status.Scalings)-1]; last.Workers != 8 || !strings.Contains(last.Reason, "waited") || last.At.IsZero() {
			t.Errorf("the last change is %+v", last)
		}
		time.Sleep(10 * time.Minute) // all is done, and nobody has anything to do
		if got := c.Status().Workers; got != 2 {
			t.Errorf("%d workers are left, want 2", got)
		}
		running.most()
		for _, key := range []string{"a", "b", "c", "d"} {
			c.Enqueue(key)
		}
		synctest.Wait()
		if most := running.most(); most != 2 {
			t.Errorf("%d keys ran at the same time, want 2", most)
		}
		stop()
	})
}

func TestFewerWorkersWhileTheServerRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refuses atomic.Bool
		c, stop := start(t, controller.Config[string]{
			Workers:    1,
			MaxWorkers: 8,
			Breaker:    controller.Breaker{Threshold: -1},
			Reconcile: func(context.Context, string) controller.Result {
				time.Sleep(time.Second)
				if refuses.Load() {
					return controller.Retry(status(429, "", 0))
				}
				return controller.RequeueAfter(0)
			},
		})
		for n := range 100 {
			c.Enqueue(string(rune('a' + n)))
		}
		time.Sleep(time.Minute)
		before := c.Status().Workers
		refuses.Store(true)
		time.Sleep(time.Minute)
		after := c.Status()
		if before != 8 || after.Workers > 2 || !strings.Contains(after.Scalings[len(after.Scalings)-1].Reason, "refused") {
			t.Errorf("there were %d workers, and then %d, because of %+v", before, after.Workers, after.Scalings)
		}
		refuses.Store(false)
		time.Sleep(2 * time.Minute)
		if got := c.Status().Workers; got != 8 {
			t.Errorf("when all is well there are %d workers, want 8 again", got)
		}
		stop()
	})
}

// Keys that are always to be run again leave others their turn, and take one worker each.
func TestHotKeysDoNotTakeAllWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hot, others atomic.Int32
		var c *controller.Controller[string]
		c, stop := start(t, controller.Config[string]{
			Workers: 2,
			Reconcile: func(_ context.Context, key string) controller.Result {
				time.Sleep(time.Second)
				if strings.HasPrefix(key, "hot") {
					hot.Add(1)
					c.Enqueue(key) // an event while it runs
				} else {
					others.Add(1)
				}
				return controller.Done()
			},
		})
		for _, key := range []string{"hot 1", "hot 2", "hot 3", "a", "b", "c", "d"} {
			c.Enqueue(key)
		}
		time.Sleep(10*time.Second + 1)
		if others.Load() != 4 || hot.Load() < 10 {
			t.Errorf("hot keys ran %d times, the others %d times; want all of these once", hot.Load(), others.Load())
		}
		stop()
	})
}

// What clients wait out by themselves slows reconciles down, so that keys wait: then more workers would make it worse.
func TestFewerWorkersWhileRequestsAreThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var throttles atomic.Bool
		c, stop := start(t, controller.Config[string]{
			MaxWorkers: 8,
			Reconcile: func(ctx context.Context, _ string) controller.Result {
				time.Sleep(time.Second)
				if throttles.Load() {
					throttle.Note(ctx, &http.Response{StatusCode: http.StatusTooManyRequests})
				}
				return controller.RequeueAfter(0)
			},
		})
		for n := range 100 {
			c.Enqueue(string(rune('a' + n)))
		}
		time.Sleep(time.Minute)
		before := c.Status().Workers
		throttles.Store(true)
		time.Sleep(time.Minute)
		after := c.Status()
		if before != 8 || after.Workers > 2 || !strings.Contains(after.Scalings[len(after.Scalings)-1].Reason, "throttled") {
			t.Errorf("there were %d workers, and then %d, because of %+v", before, after.Workers, after.Scalings)
		}
		if after.Throttled == 0 || after.Refused != 0 || after.Slowed != nil {
			t.Errorf("the status is %+v", after)
		}
		throttles.Store(false)
		time.Sleep(2 * time.Minute)
		if got := c.Status().Workers; got != 8 {
			t.Errorf("when all is well there are %d workers, want 8 again", got)
		}
		stop()
	})
}

// By default a key may wait for a fifth of a second.
func TestTheTargetLatencyByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := start(t, controller.Config[string]{
			MaxWorkers: 2,
			Reconcile: func(context.Context, string) controller.Result {
				time.Sleep(210 * time.Millisecond)
				return controller.RequeueAfter(0)
			},
		})
		c.Enqueue("a")
		time.Sleep(time.Minute)
		if got := c.Status().Workers; got != 1 {
			t.Errorf("%d workers for one key, want 1", got)
		}
		c.Enqueue("b")
		c.Enqueue("c")
		time.Sleep(time.Minute)
		if got := c.Status().Workers; got != 2 {
			t.Errorf("%d workers, want 2", got)
		}
		stop()
	})
}
