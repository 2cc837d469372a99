package controller_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-k8s/sluice/pkg/controller"
)

func TestNothingIsReconciledBeforeSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := newHand(), newHand()
		var reconciled atomic.Int32
		_, stop := start(t, controller.Config[string]{
			Sources: []controller.Source[string]{first, second},
			Reconcile: func(context.Context, string) controller.Result {
				reconciled.Add(1)
				return controller.Done()
			},
		})
		first.add("a")
		close(first.synced)
		time.Sleep(time.Minute)
		if got := reconciled.Load(); got != 0 {
			t.Fatalf("%d reconciles before the second source had synced", got)
		}
		close(second.synced)
		synctest.Wait()
		if got := reconciled.Load(); got != 1 {
			t.Errorf("%d reconciles after sync, want 1", got)
		}
		stop()
		if first.closed != 1 || second.closed != 1 {
			t.Error("a subscription was not closed")
		}
	})
}

// A source's own time-out is a failure like any other, no reason to ask again at once.
func TestRunFailsWhenASourceCannotSync(t *testing.T) {
	for _, broken := range []error{errors.New("stopped"), context.DeadlineExceeded} {
		source := newHand()
		source.broken = broken
		c, err := controller.New(controller.Config[string]{
			Name:      "test",
			Sources:   []controller.Source[string]{source},
			Reconcile: func(context.Context, string) controller.Result { return controller.Done() },
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Run(t.Context()); !errors.Is(err, broken) {
			t.Errorf("Run returned %v, want the source's error %v", err, broken)
		}
		if err := c.Run(t.Context()); !errors.Is(err, controller.ErrStarted) {
			t.Errorf("a second Run returned %v, want ErrStarted", err)
		}
		if err := c.Ready(); !errors.Is(err, controller.ErrStopped) {
			t.Errorf("Ready returned %v, want ErrStopped", err)
		}
	}
}

func TestStoppedBeforeSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, stop := start(t, controller.Config[string]{
			Sources:   []controller.Source[string]{newHand()},
			Reconcile: func(context.Context, string) controller.Result { return controller.Done() },
		})
		stop()
	})
}

func TestStopLetsARunningReconcileFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended error
		c, stop := start(t, controller.Config[string]{
			Reconcile: func(ctx context.Context, _ string) controller.Result {
				time.Sleep(15 * time.Second)
				ended = ctx.Err()
				return controller.RequeueAfter(time.Second)
			},
		})
		c.Enqueue("a")
		c.Enqueue("never handed out")
		synctest.Wait()
		begin := time.Now()
		stop()
		if took := time.Since(begin); took != 15*time.Second || ended != nil {
			t.Errorf("stopping took %v, the context's error was %v; want 15s and a live context", took, ended)
		}
		if got := c.Status().Reconciles; got != 1 {
			t.Errorf("%d reconciles, want 1", got)
		}
	})
}

func TestStopCancelsAfterTheGracePeriod(t *testing.T) {
	for name, grace := range map[string]time.Duration{"some": 5 * time.Second, "none": -1, "default": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var cause error
				c, stop := start(t, controller.Config[string]{
					GracePeriod: grace,
					Reconcile: func(ctx context.Context, _ string) controller.Result {
						<-ctx.Done()
						cause = context.Cause(ctx)
						return controller.Retry(ctx.Err())
					},
				})
				c.Enqueue("a")
				synctest.Wait()
				begin := time.Now()
				stop()
				want := max(grace, 0)
				if grace == 0 {
					want = 20 * time.Second
				}
				if took := time.Since(begin); took != want {
					t.Errorf("stopping took %v, want %v", took, want)
				}
				if !errors.Is(cause, controller.ErrGracePeriod) {
					t.Errorf("the context ended because of %v, want ErrGracePeriod", cause)
				}
			})
		})
	}
}
