package controller_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// during reconciles one key with a function, once, and stops the controller when that has returned.
func during(t *testing.T, config controller.Config[string], run func(ctx context.Context) controller.Result) (after context.Context) {
	t.Helper()
	ran := make(chan context.Context, 10)
	config.Reconcile = func(ctx context.Context, _ string) controller.Result {
		defer func() { ran <- ctx }()
		return run(ctx)
	}
	source := newHand()
	close(source.synced)
	config.Sources = []controller.Source[string]{source}
	_, stop := start(t, config)
	source.to.Add("a", queue.AddOptions{Trigger: queue.Trigger{Source: "test", Cause: "added"}})
	after = <-ran
	synctest.Wait()
	stop()
	return after
}

func TestTheContextOfAReconcile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := controller.Config[string]{Timeout: time.Minute, Queue: queue.Config[string]{Triggers: 1}}
		begin := time.Now()
		after := during(t, config, func(ctx context.Context) controller.Result {
			if ctx.Err() != nil {
				t.Errorf("the context begins with %v", ctx.Err())
			}
			if deadline, ok := ctx.Deadline(); !ok || !deadline.Equal(begin.Add(time.Minute)) {
				t.Errorf("the deadline is %v, want %v", deadline, begin.Add(time.Minute))
			}
			attempt, ok := controller.AttemptFrom(ctx)
			if !ok || attempt.Number != 1 || !attempt.ReadyAt.Equal(begin) || !strings.HasSuffix(attempt.ID, "-1") {
				t.Errorf("the attempt is %+v, %v", attempt, ok)
			}
			if attempt.Triggers == nil || attempt.Triggers.First.Source != "test" {
				t.Errorf("the triggers are %v", attempt.Triggers)
			}
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			if _, ok := controller.AttemptFrom(child); !ok {
				t.Error("a child does not know the attempt")
			}
			return controller.Done()
		})
		if after.Err() == nil {
			t.Error("the context lives on after the reconcile")
		}
		controller.Expect(after, nil) // too late, and without effect
	})
}

func TestTheContextEndsAfterTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		during(t, controller.Config[string]{Timeout: time.Minute}, func(ctx context.Context) controller.Result {
			begin, child := time.Now(), ctx
			child, cancel := context.WithCancel(child)
			defer cancel()
			<-child.Done()
			if took := time.Since(begin); took != time.Minute {
				t.Errorf("the context has ended after %v, want a minute", took)
			}
			for which, ctx := range map[string]context.Context{"context": ctx, "child": child} {
				if cause := context.Cause(ctx); !errors.Is(cause, controller.ErrTimeout) {
					t.Errorf("the %s has ended because of %v, want ErrTimeout", which, cause)
				}
			}
			return controller.Retry(ctx.Err())
		})
	})
}

// Why the context has ended can be asked for first.
func TestTheCauseOfATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		during(t, controller.Config[string]{Timeout: time.Minute}, func(ctx context.Context) controller.Result {
			time.Sleep(2 * time.Minute)
			if cause := context.Cause(ctx); !errors.Is(cause, controller.ErrTimeout) {
				t.Errorf("the context has ended because of %v, want ErrTimeout", cause)
			}
			return controller.Done()
		})
	})
}

// What requests say when the context has ended is no sign of what the server would have said.
func TestTimeoutsAreNoRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var class controller.Class
		config := controller.Config[string]{Timeout: time.Minute, Observe: func(o controller.Observation[string]) { class = o.Class }}
		during(t, config, func(ctx context.Context) controller.Result {
			<-ctx.Done()
			return controller.Retry(status(503, "", 0))
		})
		if class != controller.Failure {
			t.Errorf("the class is %v, want a failure", class)
		}
	})
}

func TestNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		during(t, controller.Config[string]{Timeout: -1}, func(ctx context.Context) controller.Result {
			if _, ok := ctx.Deadline(); ok {
				t.Error("there is a deadline")
			}
			select {
			case <-ctx.Done():
				t.Errorf("the context has ended: %v", context.Cause(ctx))
			case <-time.After(24 * time.Hour):
			}
			return controller.Done()
		})
	})
}

func TestTheLoggerOfAReconcile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
		during(t, controller.Config[string]{Logger: logger}, func(ctx context.Context) controller.Result {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			klog.FromContext(ctx).Info("Hello")
			return controller.Done()
		})
		logs := logger.GetSink().(ktesting.Underlier).GetBuffer().String()
		for _, want := range []string{`controller="test"`, `key="a"`, `reconcileID="`} {
			if !strings.Contains(logs, want) {
				t.Errorf("the log is %q, want %s in it", logs, want)
			}
		}
	})
}

func TestNoAttemptElsewhere(t *testing.T) {
	if _, ok := controller.AttemptFrom(t.Context()); ok {
		t.Error("there is an attempt outside of a reconcile")
	}
	controller.Expect(t.Context(), nil) // does nothing
}

// The time-out is in real time, whatever the controller's clock says.
func TestTheTimeoutIsInRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := controller.Config[string]{Timeout: time.Minute, Clock: clocktesting.NewFakeClock(time.Unix(0, 0))}
		during(t, config, func(ctx context.Context) controller.Result {
			begin := time.Now()
			<-ctx.Done()
			if took := time.Since(begin); took != time.Minute {
				t.Errorf("the context has ended after %v, want a minute", took)
			}
			return controller.Done()
		})
	})
}

// One that does not care for its context is counted while it goes on, and logged once.
func TestAReconcileThatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
		c, stop := start(t, controller.Config[string]{
			Logger:  logger,
			Timeout: time.Minute,
			Reconcile: func(context.Context, string) controller.Result {
				time.Sleep(10 * time.Minute)
				return controller.Done()
			},
		})
		c.Enqueue("a")
		time.Sleep(time.Minute)
		if got := c.Status(); got.Running != 1 || got.Stuck != 0 || got.LongestRunning != time.Minute {
			t.Errorf("after a minute the status is %+v", got)
		}
		time.Sleep(8 * time.Minute)
		if got := c.Status(); got.Running != 1 || got.Stuck != 1 || got.LongestRunning != 9*time.Minute {
			t.Errorf("after nine minutes the status is %+v", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := c.Status(); got.Running != 0 || got.Stuck != 0 || got.LongestRunning != 0 {
			t.Errorf("after all the status is %+v", got)
		}
		stop()
		logs := logged(t, logger)
		if strings.Count(logs, "goes on though its time is over") != 1 || !strings.Contains(logs, `key="a"`) {
			t.Errorf("the log is %q", logs)
		}
	})
}

// A context can be asked for everything by many at the same time, also while its reconcile ends.
func TestTheContextIsForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var group sync.WaitGroup
		during(t, controller.Config[string]{Timeout: time.Minute}, func(ctx context.Context) controller.Result {
			for range 8 {
				group.Go(func() {
					child, cancel := context.WithCancel(ctx)
					defer cancel()
					klog.FromContext(ctx).V(9).Info("Hello")
					controller.Expect(ctx, func(context.Context) error { return nil })
					controller.AttemptFrom(ctx)
					ctx.Deadline()
					<-child.Done()
					if ctx.Err() == nil || context.Cause(ctx) == nil {
						t.Error("the child has ended before the context")
					}
				})
			}
			return controller.Done()
		})
		group.Wait()
	})
}

func TestTheTimeoutByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		during(t, controller.Config[string]{}, func(ctx context.Context) controller.Result {
			if deadline, _ := ctx.Deadline(); !deadline.Equal(begin.Add(10 * time.Minute)) {
				t.Errorf("the deadline is %v, want it in ten minutes", deadline)
			}
			return controller.Done()
		})
	})
}

// A goroutine that goes on with the context of a reconcile that has ended finds that out, whether or not somebody has asked
// for the context's end before. What it expects then holds up nobody.
func TestTheContextOfAReconcileThatHasEnded(t *testing.T) {
	for name, before := range map[string]func(context.Context){"asked before": func(ctx context.Context) { ctx.Done() }, "never": func(context.Context) {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				after := make(chan context.Context, 1)
				c, stop := start(t, controller.Config[string]{
					Reconcile: func(ctx context.Context, _ string) controller.Result {
						before(ctx)
						after <- ctx
						return controller.Done()
					},
				})
				c.Enqueue("a")
				synctest.Wait()
				ctx := <-after
				if ctx.Err() == nil {
					t.Error("the context lives on after the reconcile")
				}
				controller.Expect(ctx, func(context.Context) error {
					t.Error("it was asked")
					return nil
				})
				c.Enqueue("a")
				synctest.Wait()
				if len(after) != 1 {
					t.Error("the key did not run again")
				}
				stop()
			})
		})
	}
}
