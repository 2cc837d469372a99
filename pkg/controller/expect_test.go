package controller_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

// until returns an expectation that is met when the channel is closed.
func until(seen <-chan struct{}) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-seen:
			return nil
		default:
		}
		select {
		case <-seen:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// A writer is a controller whose first reconcile of "a" expects something.
type writer struct {
	*controller.Controller[string]

	seen chan struct{}
	runs diary
	stop func()
}

func newWriter(t *testing.T, config controller.Config[string], result controller.Result) *writer {
	t.Helper()
	w := &writer{seen: make(chan struct{})}
	config.Reconcile = func(ctx context.Context, key string) controller.Result {
		if w.runs.add(key) > 1 {
			return controller.Done()
		}
		controller.Expect(ctx, until(w.seen))
		return result
	}
	w.Controller, w.stop = start(t, config)
	w.Enqueue("a")
	w.runs.next(t, "a")
	return w
}

func TestAKeyWaitsForItsOwnWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, controller.Config[string]{}, controller.Done())
		w.Enqueue("a")
		w.Enqueue("b")
		w.runs.next(t, "b")
		if got := w.Status(); got.Settling != 1 || got.Running != 0 {
			t.Errorf("%d are settling and %d running, want 1 and 0", got.Settling, got.Running)
		}
		close(w.seen)
		w.runs.next(t, "a")
		if got := w.Status(); got.Settling != 0 || got.Unsettled != 0 {
			t.Errorf("%d are settling, %d did in vain", got.Settling, got.Unsettled)
		}
		w.stop()
	})
}

func TestAFailureThatHasWrittenIsRetriedWhenThatIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, controller.Config[string]{}, controller.Retry(errors.New("the second write failed")))
		time.Sleep(time.Minute)
		w.runs.next(t)
		close(w.seen)
		time.Sleep(time.Second)
		w.runs.next(t, "a")
		w.stop()
	})
}

func TestOwnWritesAreWaitedForInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, controller.Config[string]{SettleTimeout: time.Minute}, controller.Done())
		w.Enqueue("a")
		time.Sleep(time.Minute - time.Millisecond)
		w.runs.next(t)
		time.Sleep(time.Millisecond)
		w.runs.next(t, "a")
		if got := w.Status().Unsettled; got != 1 {
			t.Errorf("%d waited in vain, want 1", got)
		}
		w.stop()
	})
}

func TestNobodyWaitsIfTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, controller.Config[string]{SettleTimeout: -1}, controller.Done())
		w.Enqueue("a")
		w.runs.next(t, "a")
		if got := w.Status().Unsettled; got != 0 {
			t.Errorf("%d waited in vain, want none to wait", got)
		}
		w.stop()
	})
}

func TestStoppingDoesNotWaitForOwnWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, controller.Config[string]{}, controller.Done())
		begin := time.Now()
		w.stop()
		if took := time.Since(begin); took != 0 {
			t.Errorf("stopping took %v", took)
		}
		if got := w.Status().Unsettled; got != 0 {
			t.Errorf("%d waited in vain, want 0", got)
		}
	})
}

func TestWroteAndDeletedAskTheView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pods := cache.NewIndexer[*corev1.Pod]()
		old := pod("old", "1")
		pods.Add(old)
		var runs []int // the objects that each run has seen
		c, stop := start(t, controller.Config[string]{
			Reconcile: func(ctx context.Context, _ string) controller.Result {
				if runs = append(runs, pods.Len()); len(runs) == 1 {
					controller.Wrote(ctx, pods, pod("new", "2"))
					controller.Deleted(ctx, pods, old)
				}
				return controller.Done()
			},
		})
		c.Enqueue("a")
		synctest.Wait()
		c.Enqueue("a")
		pods.Add(pod("new", "2"))
		synctest.Wait()
		if len(runs) != 1 {
			t.Fatal("ran before the deletion was seen")
		}
		pods.Delete(old)
		synctest.Wait()
		if !slices.Equal(runs, []int{1, 1}) {
			t.Errorf("saw %v objects, want 1 and 1", runs)
		}
		stop()
	})
}

// Whatever goes wrong when a cache is asked, the key is reconciled again.
func TestAnExpectationThatPanicsHarmsNobody(t *testing.T) {
	for name, seen := range map[string]func(context.Context) error{"panics": func(context.Context) error { panic("a bug") }, "is nil": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var runs diary
				c, stop := start(t, controller.Config[string]{
					Reconcile: func(ctx context.Context, key string) controller.Result {
						runs.add(key)
						controller.Expect(ctx, seen)
						return controller.Done()
					},
				})
				c.Enqueue("a")
				runs.next(t, "a")
				c.Enqueue("a")
				runs.next(t, "a")
				stop()
				if got := c.Status().Unsettled; got != 2 {
					t.Errorf("%d waited in vain, want 2", got)
				}
			})
		})
	}
}

func TestOwnWritesAreWaitedForTwoMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, controller.Config[string]{}, controller.Done())
		w.Enqueue("a")
		time.Sleep(2*time.Minute - time.Millisecond)
		w.runs.next(t)
		time.Sleep(time.Millisecond)
		w.runs.next(t, "a")
		w.stop()
	})
}

// Keys that settle need no worker: others go on, and workers go that have nothing else to do.
func TestSettlingNeedsNoWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var settle atomic.Bool
		c, stop := start(t, controller.Config[string]{
			MaxWorkers:    8,
			SettleTimeout: time.Hour,
			Reconcile: func(ctx context.Context, _ string) controller.Result {
				time.Sleep(time.Second)
				if settle.Load() {
					controller.Expect(ctx, until(nil))
				}
				return controller.RequeueAfter(0)
			},
		})
		for n := range 50 {
			c.Enqueue(string(rune('a' + n)))
		}
		time.Sleep(time.Minute)
		before := c.Status().Workers
		settle.Store(true)
		time.Sleep(10 * time.Minute)
		if got := c.Status(); before != 8 || got.Settling != 50 || got.Running != 0 || got.Workers != 1 {
			t.Errorf("there were %d workers; the status is %+v, want all to settle and one worker", before, got)
		}
		stop()
		if got := c.Status().Settling; got != 0 {
			t.Errorf("after the stop %d settle", got)
		}
	})
}

// One write that can't be seen, because its cache has stopped for instance, does not hide another that is still to come.
func TestEachWriteIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan struct{})
		var runs diary
		c, stop := start(t, controller.Config[string]{Reconcile: func(ctx context.Context, key string) controller.Result {
			if runs.add(key) == 1 {
				controller.Expect(ctx, func(context.Context) error { return errors.New("the cache has stopped") })
				controller.Expect(ctx, until(seen))
			}
			return controller.Done()
		}})
		defer stop()
		c.Enqueue("a")
		runs.next(t, "a")
		c.Enqueue("a")
		runs.next(t)
		close(seen)
		runs.next(t, "a")
		if got := c.Status(); got.Settling != 0 || got.Unsettled != 1 {
			t.Errorf("the status is %+v, want one write that was not seen", got)
		}
	})
}
