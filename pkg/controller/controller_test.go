package controller_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A hand is a Source that a test drives.
type hand struct {
	to     controller.Target[string]
	synced chan struct{}
	broken error
	closed int
}

func newHand() *hand { return &hand{synced: make(chan struct{})} }

func (h *hand) Subscribe(to controller.Target[string]) controller.Subscription {
	h.to = to
	return h
}

func (h *hand) add(key string) { h.to.Add(key, queue.AddOptions{}) }

func (h *hand) WaitForSync(ctx context.Context) error {
	if h.broken != nil {
		return h.broken
	}
	select {
	case <-h.synced:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hand) Close() { h.closed++ }

// start runs the controller until the returned function is called.
func start(t *testing.T, config controller.Config[string]) (c *controller.Controller[string], stop func()) {
	t.Helper()
	if config.Name == "" {
		config.Name = "test"
	}
	c, err := controller.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	synctest.Wait()
	return c, func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
	}
}

func TestNewNamesTheWrongField(t *testing.T) {
	reconcile := func(context.Context, string) controller.Result { return controller.Done() }
	tests := map[string]controller.Config[string]{
		"Name":      {Reconcile: reconcile},
		"Reconcile": {Name: "test"},
		"Workers":   {Name: "test", Reconcile: reconcile, Workers: -1},
		"Sources":   {Name: "test", Reconcile: reconcile, Sources: []controller.Source[string]{nil}},

		"MaxWorkers":           {Name: "test", Reconcile: reconcile, Workers: 3, MaxWorkers: 2},
		"MaxWorkers is -1":     {Name: "test", Reconcile: reconcile, MaxWorkers: -1},
		"TargetLatency":        {Name: "test", Reconcile: reconcile, TargetLatency: -1},
		"Queue: ":              {Name: "test", Reconcile: reconcile, Queue: queue.Config[string]{Triggers: -1}},
		"Breaker: the Window":  {Name: "test", Reconcile: reconcile, Breaker: controller.Breaker{Window: -1}},
		"Breaker: the MinWait": {Name: "test", Reconcile: reconcile, Breaker: controller.Breaker{MinWait: -1}},
		"Breaker: the MaxWait": {Name: "test", Reconcile: reconcile, Breaker: controller.Breaker{MinWait: 2, MaxWait: 1}},
	}
	for field, config := range tests {
		if _, err := controller.New(config); err == nil || !strings.Contains(err.Error(), "Config."+field) {
			t.Errorf("the error is %v, want it to name %s", err, field)
		} else if again := config.Validate(); again == nil || again.Error() != err.Error() {
			t.Errorf("New says %v, Validate %v", err, again)
		}
	}
}

// A gauge goes up and down, at the hands of several workers, and knows how high it was.
type gauge struct {
	mu           sync.Mutex
	now, highest int
}

func (g *gauge) add(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now += n
	g.highest = max(g.highest, g.now)
}

// most returns the highest since it was last called.
func (g *gauge) most() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	most := g.highest
	g.highest = g.now
	return most
}

func TestWorkersRunDifferentKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running gauge
		c, stop := start(t, controller.Config[string]{
			Workers: 3,
			Reconcile: func(context.Context, string) controller.Result {
				running.add(1)
				time.Sleep(time.Second)
				running.add(-1)
				return controller.Done()
			},
		})
		for _, key := range []string{"a", "b", "c", "d", "a"} {
			c.Enqueue(key)
		}
		time.Sleep(500 * time.Millisecond)
		c.Enqueue("a") // running: must wait
		synctest.Wait()
		if got := c.Status().Running; got != 3 {
			t.Errorf("%d keys run at once, want 3", got)
		}
		time.Sleep(time.Minute)
		stop()
		if got, most := c.Status().Reconciles, running.most(); got != 5 || most != 3 {
			t.Errorf("%d reconciles, at most %d at once; want 5 and 3", got, most)
		}
	})
}

func TestAKeyIsNotReconciledTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, runs atomic.Int32
		c, stop := start(t, controller.Config[string]{
			Workers: 4,
			Reconcile: func(context.Context, string) controller.Result {
				if running.Add(1) > 1 {
					t.Error("the key is reconciled twice at once")
				}
				runs.Add(1)
				time.Sleep(time.Second)
				running.Add(-1)
				return controller.Done()
			},
		})
		for range 3 {
			c.Enqueue("a")
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		stop()
		if got := runs.Load(); got != 2 {
			t.Errorf("%d runs, want one and one more for what came meanwhile", got)
		}
	})
}

func TestTheContextCarriesALogger(t *testing.T) {
	for _, own := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
			config := controller.Config[string]{
				Name: "mine",
				Reconcile: func(ctx context.Context, _ string) controller.Result {
					klog.FromContext(ctx).Info("Hello")
					return controller.Done()
				},
			}
			ctx := klog.NewContext(t.Context(), logger)
			if own {
				config.Logger, ctx = logger, t.Context()
			}
			c, err := controller.New(config)
			if err != nil {
				t.Fatal(err)
			}
			c.Enqueue("the key")
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if err := c.Run(ctx); err != nil {
				t.Fatal(err)
			}
			sink, ok := logger.GetSink().(ktesting.Underlier)
			if !ok {
				t.Fatal("the logger has no buffer")
			}
			for _, want := range []string{"Hello", `controller="mine"`, `key="the key"`} {
				if !strings.Contains(sink.GetBuffer().String(), want) {
					t.Errorf("the log does not have %s: %s", want, sink.GetBuffer().String())
				}
			}
		})
	}
}

// The queue has the controller's name and clock.
func TestTheQueueIsTheControllers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := clocktesting.NewFakeClock(time.Unix(0, 0))
		var runs diary
		c, stop := start(t, controller.Config[string]{
			Name:  "mine",
			Clock: clock,
			Reconcile: func(_ context.Context, key string) controller.Result {
				runs.add(key)
				return controller.RequeueAfter(time.Minute)
			},
		})
		if got := c.Queue().Inspect(0).Name; got != "mine" || c.Name() != "mine" {
			t.Errorf("the queue's name is %q", got)
		}
		c.Enqueue("a")
		runs.next(t, "a")
		time.Sleep(time.Hour)
		runs.next(t)
		clock.Step(time.Minute)
		runs.next(t, "a")
		stop()
		c.Enqueue("too late")
		if _, ok := c.Queue().Find("too late"); ok {
			t.Error("the queue takes keys after the stop")
		}
	})
}

// What is nobody's business is said at level 4.
func TestASuccessIsLoggedIfAsked(t *testing.T) {
	for verbosity, want := range []int{0, 0, 0, 0, 1} {
		synctest.Test(t, func(t *testing.T) {
			logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true), ktesting.Verbosity(verbosity)))
			during(t, controller.Config[string]{Logger: logger}, func(context.Context) controller.Result { return controller.Done() })
			if got := strings.Count(logged(t, logger), `Reconciled controller="test" key="a"`); got != want {
				t.Errorf("at level %d it is logged %d times, want %d", verbosity, got, want)
			}
		})
	}
}

// A queue with a clock of its own tells by that one how long a run took.
func TestTheQueueMayHaveItsOwnClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen controller.Observation[string]
		config := controller.Config[string]{Observe: func(o controller.Observation[string]) { seen = o }}
		config.Queue.Clock = clocktesting.NewFakeClock(time.Unix(0, 0))
		during(t, config, func(context.Context) controller.Result { return controller.Done() })
		if seen.Took != 0 || seen.Queued != 0 {
			t.Errorf("observed %+v", seen)
		}
	})
}
