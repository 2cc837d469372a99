package controller_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"

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
