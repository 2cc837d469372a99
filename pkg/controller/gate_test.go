package controller_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/klog/v2/ktesting"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A server refuses or not, and counts what it is asked.
type server struct {
	mu      sync.Mutex
	refuses bool
	asked   []time.Duration // after the start, since it was looked at
}

// look returns when the server was asked since the last call, and makes it refuse or not.
func (s *server) look(refuse bool) []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked, s.refuses = nil, refuse
	return asked
}

// serve runs a controller on many keys, each of which asks the server once a second.
func serve(t *testing.T, s *server, config controller.Config[int]) (c *controller.Controller[int], stop func()) {
	t.Helper()
	begin := time.Now()
	config.Name = "test"
	config.Queue.RateLimiter = queue.Exponential[int](queue.ExponentialConfig{Base: time.Second, Max: time.Second})
	config.Reconcile = func(ctx context.Context, _ int) controller.Result {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, time.Since(begin))
		if s.refuses {
			return controller.Retry(status(503, "", 0))
		}
		controller.Expect(ctx, func(context.Context) error { return nil }) // it has written
		return controller.RequeueAfter(time.Second)
	}
	c, err := controller.New(config)
	if err != nil {
		t.Fatal(err)
	}
	for key := range 20 {
		c.Enqueue(key)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	return c, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestSlowsDownWhileTheServerRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
		s := server{refuses: true}
		c, stop := serve(t, &s, controller.Config[int]{Logger: logger})
		time.Sleep(time.Minute)
		synctest.Wait()
		// 5 at once; then one after 1, 2, 4, 8, 16, 30 s
		if asked := s.look(false); len(asked) != 5+5 {
			t.Errorf("the server was asked at %v", asked)
		}
		if got := c.Status(); got.Slowed == nil || got.SlowedDown != 6 || got.Refused != 10 {
			t.Errorf("the status is %+v", got)
		}
		time.Sleep(30 * time.Second)
		s.look(false)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if asked := s.look(false); len(asked) < 190 {
			t.Errorf("the server was asked %d times in 10 s by 20 keys, want once a second by each", len(asked))
		}
		if got := c.Status(); got.Slowed != nil {
			t.Errorf("still slowed: %v", got.Slowed)
		}
		stop()
		logs := logger.GetSink().(ktesting.Underlier).GetBuffer().String()
		for _, want := range []string{"refuses, slowing down", "answers again"} {
			if !strings.Contains(logs, want) {
				t.Errorf("the log does not say %q", want)
			}
		}
	})
}

func TestNoBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server{refuses: true}
		_, stop := serve(t, &s, controller.Config[int]{Breaker: controller.Breaker{Threshold: -1}})
		time.Sleep(9*time.Second + time.Millisecond)
		stop()
		if asked := s.look(false); len(asked) != 200 {
			t.Errorf("the server was asked %d times, want 200", len(asked))
		}
	})
}

// Workers that wait for the server to answer hold up nobody who wants to stop.
func TestStoppedWhileSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server{refuses: true}
		_, stop := serve(t, &s, controller.Config[int]{Workers: 4})
		time.Sleep(10 * time.Second)
		begin := time.Now()
		stop()
		if took := time.Since(begin); took != 0 {
			t.Errorf("stopping took %v", took)
		}
	})
}

// A trial that never returns takes one worker, and the others go on when it has taken as long as the pause before.
func TestATrialThatHangsKeepsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		var runs atomic.Int32
		c, stop := start(t, controller.Config[string]{
			Workers: 3,
			Breaker: controller.Breaker{Threshold: 1, MinWait: 10 * time.Second},
			Reconcile: func(context.Context, string) controller.Result {
				switch runs.Add(1) {
				case 1:
					return controller.Retry(status(503, "", 0))
				case 2: // the trial
					<-hang
				}
				return controller.Done()
			},
		})
		c.Enqueue("a")
		synctest.Wait()
		for _, key := range []string{"b", "c", "d", "e"} {
			c.Enqueue(key)
		}
		time.Sleep(20*time.Second - 1)
		if got := runs.Load(); got != 2 {
			t.Errorf("%d runs while the trial is under way, want 2", got)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got := c.Status(); got.Reconciles != 5 || got.Running != 1 || got.Slowed != nil {
			t.Errorf("the status is %+v, want all but the one that hangs to be done", got)
		}
		close(hang)
		stop()
	})
}

// Until there is a key the trial has not begun: then there is still only one.
func TestATrialWaitsForAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		c, stop := start(t, controller.Config[string]{
			Workers: 3,
			Breaker: controller.Breaker{Threshold: 1, MinWait: time.Second},
			Queue:   queue.Config[string]{RateLimiter: queue.Exponential[string](queue.ExponentialConfig{Base: time.Hour})},
			Reconcile: func(context.Context, string) controller.Result {
				runs.Add(1)
				return controller.Retry(status(503, "", 0))
			},
		})
		c.Enqueue("a")
		time.Sleep(time.Minute)
		for _, key := range []string{"b", "c", "d"} {
			c.Enqueue(key)
		}
		synctest.Wait()
		if got := runs.Load(); got != 2 {
			t.Errorf("%d runs, want the first and one trial", got)
		}
		stop()
	})
}

// What began before the pause and did not ask the server says nothing of it.
func TestOnlyTheTrialEndsAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, trial := make(chan struct{}), make(chan struct{})
		c, stop := start(t, controller.Config[string]{
			Workers: 4,
			Breaker: controller.Breaker{Threshold: 1, MinWait: time.Second},
			Queue:   queue.Config[string]{RateLimiter: queue.Exponential[string](queue.ExponentialConfig{Base: time.Hour})},
			Reconcile: func(_ context.Context, key string) controller.Result {
				switch key {
				case "before":
					<-before
				case "trial":
					<-trial
				case "refused":
					return controller.Retry(status(503, "", 0))
				}
				return controller.Done()
			},
		})
		for _, key := range []string{"before", "refused", "trial", "after"} {
			c.Enqueue(key)
			synctest.Wait()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		close(before)
		synctest.Wait()
		if got := c.Status(); got.Slowed == nil || got.Ready != 1 {
			t.Errorf("the status is %+v, want a trial under way", got)
		}
		close(trial)
		synctest.Wait()
		if got := c.Status(); got.Slowed != nil || got.Ready != 0 {
			t.Errorf("the status is %+v, want the pause to be over", got)
		}
		stop()
	})
}

// The server's own wait counts if it is longer, and any answer of it ends a pause.
func TestAPauseIsAsLongAsTheServerAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []error{status(429, "", 20), status(404, "", 0)}
		var runs []time.Duration
		begin := time.Now()
		c, stop := start(t, controller.Config[string]{
			Breaker: controller.Breaker{Threshold: 1},
			Queue:   queue.Config[string]{RateLimiter: queue.Exponential[string](queue.ExponentialConfig{Base: time.Hour})},
			Reconcile: func(context.Context, string) controller.Result {
				runs = append(runs, time.Since(begin))
				if len(runs) > len(answers) {
					return controller.Done()
				}
				return controller.Retry(answers[len(runs)-1])
			},
		})
		c.Enqueue("a")
		synctest.Wait()
		c.Enqueue("b")
		time.Sleep(20 * time.Second)
		c.Enqueue("c")
		synctest.Wait()
		if want := []time.Duration{0, 20 * time.Second, 20 * time.Second}; !slices.Equal(runs, want) {
			t.Errorf("ran at %v, want %v", runs, want)
		}
		stop()
	})
}

// What opens the breaker by default, and what does not; how long a pause is.
func TestWhenAPauseBegins(t *testing.T) {
	refused, second := status(503, "", 0), time.Second
	tests := map[string]struct {
		breaker controller.Breaker
		every   time.Duration
		answers []error
		opened  int
		next    time.Duration // after the last of the answers
	}{
		"five in half a minute":    {controller.Breaker{}, 7 * second, []error{refused, refused, refused, refused, refused}, 1, 7 * second},
		"five in more":             {controller.Breaker{}, 8 * second, []error{refused, refused, refused, refused, refused}, 0, 8 * second},
		"not with an answer":       {controller.Breaker{Threshold: 2}, second, []error{refused, status(404, "", 0), refused}, 0, second},
		"in spite of another bug":  {controller.Breaker{Threshold: 2}, second, []error{refused, errors.New("a bug"), refused}, 1, second},
		"as long as is configured": {controller.Breaker{Threshold: 1, MinWait: time.Minute}, second, []error{refused}, 1, time.Minute},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var last, next time.Time
				runs := 0
				c, stop := start(t, controller.Config[string]{
					Breaker: test.breaker,
					Queue: queue.Config[string]{
						RateLimiter: queue.Exponential[string](queue.ExponentialConfig{Base: test.every, Max: test.every}),
					},
					Reconcile: func(context.Context, string) controller.Result {
						runs++
						if runs > len(test.answers) {
							next = time.Now()
							return controller.Done()
						}
						last = time.Now()
						return controller.Retry(test.answers[runs-1])
					},
				})
				c.Enqueue("a")
				time.Sleep(2 * time.Minute)
				stop()
				if got := c.Status().SlowedDown; got != test.opened || next.Sub(last) != test.next {
					t.Errorf("it opened %d times, and the next run came after %v; want %d and %v", got, next.Sub(last), test.opened, test.next)
				}
			})
		})
	}
}
