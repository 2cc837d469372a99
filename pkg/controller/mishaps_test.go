package controller_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestAPanicIsRetriedAndHarmsNoOtherKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var good, bad atomic.Int32
		var seen atomic.Pointer[controller.PanicError]
		c, stop := start(t, controller.Config[string]{
			Queue: queue.Config[string]{RateLimiter: queue.Exponential[string](queue.ExponentialConfig{Base: time.Second, Max: time.Hour})},
			Reconcile: func(_ context.Context, key string) controller.Result {
				if key == "bad" && bad.Add(1) < 3 {
					panic("a bug")
				}
				good.Add(1)
				return controller.Done()
			},
			Observe: func(o controller.Observation[string]) {
				if panicked, ok := errors.AsType[*controller.PanicError](o.Result.Err()); ok {
					seen.Store(panicked)
				}
			},
		})
		c.Enqueue("bad")
		c.Enqueue("good")
		synctest.Wait()
		if good.Load() != 1 {
			t.Error("the good key was not reconciled")
		}
		time.Sleep(time.Minute)
		stop()
		if bad.Load() != 3 || good.Load() != 2 {
			t.Errorf("the bad key ran %d times, want 3", bad.Load())
		}
		if got := seen.Load(); got == nil || got.Value != "a bug" || !strings.Contains(string(got.Stack), "mishaps_test.go") {
			t.Errorf("the panic was observed as %v", got)
		}
		want := controller.Status{Reconciles: 4, Failures: 2, Panics: 2}
		want.Workers = 1
		if got := c.Status(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("status is %+v, want %+v", got, want)
		}
	})
}

func TestAReconcileThatEndsItsGoroutineIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		c, stop := start(t, controller.Config[string]{
			Reconcile: func(context.Context, string) controller.Result {
				if runs.Add(1) == 1 {
					runtime.Goexit()
				}
				return controller.Done()
			},
		})
		c.Enqueue("a")
		time.Sleep(time.Minute)
		stop()
		if got := c.Status(); got.Reconciles != 2 || got.Failures != 1 {
			t.Errorf("status is %+v, want a failure and a success", got)
		}
	})
}

func TestAnObserverThatPanicsHarmsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := start(t, controller.Config[string]{
			Reconcile: func(context.Context, string) controller.Result { return controller.Done() },
			Observe:   func(controller.Observation[string]) { panic("a bug") },
		})
		c.Enqueue("a")
		c.Enqueue("b")
		synctest.Wait()
		stop()
		if got := c.Status().Reconciles; got != 2 {
			t.Errorf("%d reconciles, want 2", got)
		}
	})
}
