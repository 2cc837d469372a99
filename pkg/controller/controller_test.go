package controller_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
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
		if _, err := controller.New(config); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("the error is %v, want it to name %s", err, field)
		}
	}
}

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

// Each reconcile of the key gives the next result; the observations tell when it ran.
func TestResults(t *testing.T) {
	failure := errors.New("a failure")
	second := time.Second
	tests := map[string]struct {
		results  []controller.Result
		runs     []time.Duration // after the start
		failures int             // counted by the last of these runs
	}{
		"done":          {[]controller.Result{controller.Done()}, []time.Duration{0}, 0},
		"zero value":    {[]controller.Result{{}}, []time.Duration{0}, 0},
		"requeue":       {[]controller.Result{controller.RequeueAfter(5 * second), controller.Done()}, []time.Duration{0, 5 * second}, 0},
		"requeue now":   {[]controller.Result{controller.RequeueAfter(0), controller.Done()}, []time.Duration{0, 0}, 0},
		"retry of nil":  {[]controller.Result{controller.Retry(nil)}, []time.Duration{0}, 0},
		"retry":         {[]controller.Result{controller.Retry(failure), controller.Retry(failure), controller.Done()}, []time.Duration{0, second, 3 * second}, 0},
		"retry for now": {[]controller.Result{controller.Retry(failure), controller.Retry(failure)}, []time.Duration{0, second}, 2},
		"success resets the back-off": {
			[]controller.Result{controller.Retry(failure), controller.RequeueAfter(second), controller.Retry(failure), controller.Done()},
			[]time.Duration{0, second, 2 * second, 3 * second},
			0,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var runs []time.Duration
				var seen []controller.Observation[string]
				c, stop := start(t, controller.Config[string]{
					Queue: queue.Config[string]{RateLimiter: queue.Exponential[string](queue.ExponentialConfig{Base: time.Second, Max: time.Hour})},
					Reconcile: func(context.Context, string) controller.Result {
						runs = append(runs, time.Since(begin))
						if len(runs) > len(test.results) {
							return controller.Done()
						}
						return test.results[len(runs)-1]
					},
					Observe: func(o controller.Observation[string]) { seen = append(seen, o) },
				})
				c.Enqueue("a")
				time.Sleep(time.Duration(len(test.results))*5*second - 3*second)
				stop()
				if len(runs) < len(test.runs) || !slices.Equal(runs[:len(test.runs)], test.runs) {
					t.Fatalf("ran at %v, want %v", runs, test.runs)
				}
				if test.failures == 0 && len(runs) > len(test.runs) {
					t.Errorf("ran at %v, want nothing after %v", runs, test.runs)
				}
				if got := seen[len(test.runs)-1].Failures; got != test.failures {
					t.Errorf("%d failures observed, want %d", got, test.failures)
				}
			})
		})
	}
}

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
		if got := seen.Load(); got == nil || got.Value != "a bug" || !strings.Contains(string(got.Stack), "controller_test.go") {
			t.Errorf("the panic was observed as %v", got)
		}
		want := controller.Status{Reconciles: 4, Failures: 2, Panics: 2}
		want.Workers = 1
		if got := c.Status(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("status is %+v, want %+v", got, want)
		}
	})
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

func TestObservationTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []controller.Observation[string]
		c, stop := start(t, controller.Config[string]{
			Reconcile: func(context.Context, string) controller.Result {
				time.Sleep(2 * time.Second)
				return controller.Done()
			},
			Observe: func(o controller.Observation[string]) { seen = append(seen, o) },
		})
		c.Enqueue("a")
		c.Enqueue("b")
		time.Sleep(time.Minute)
		stop()
		if len(seen) != 2 || seen[1].Key != "b" || seen[1].Queued != 2*time.Second || seen[1].Took != 2*time.Second {
			t.Errorf("observed %+v, want b queued for 2s and done in 2s", seen)
		}
	})
}

func TestResultString(t *testing.T) {
	tests := map[string]controller.Result{
		"done":             controller.Done(),
		"requeue after 5s": controller.RequeueAfter(5 * time.Second),
		"retry: broken":    controller.Retry(errors.New("broken")),
		"park: broken":     controller.Park(errors.New("broken")),

		"retry after 5s: broken": controller.RetryAfter(5*time.Second, errors.New("broken")),
	}
	for want, result := range tests {
		if got := result.String(); got != want {
			t.Errorf("the result says %q, want %q", got, want)
		}
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
