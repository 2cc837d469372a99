package queue_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	utilclock "k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// takeInBackground calls Take and returns the channel on which its key comes, or its error.
func takeInBackground[K comparable](ctx context.Context, q *queue.Queue[K]) (<-chan K, <-chan error) {
	taken, errs := make(chan K, 1), make(chan error, 1)
	go func() {
		if item, err := q.Take(ctx); err != nil {
			errs <- err
		} else {
			taken <- item.Key
		}
	}()
	synctest.Wait()
	return taken, errs
}

func TestTakeWaits(t *testing.T) {
	tests := map[string]struct {
		add  func(q *queue.Queue[string])
		want time.Duration
	}{
		"for an add":   {add: func(q *queue.Queue[string]) { q.Add("a") }},
		"for an event": {add: func(q *queue.Queue[string]) { q.AddWith("a", queue.AddOptions{}) }},
		"for a delay":  {func(q *queue.Queue[string]) { q.AddAfter("a", time.Hour) }, time.Hour},
		"for a shorter delay": {
			func(q *queue.Queue[string]) { q.AddAfter("a", time.Hour); q.AddAfter("a", time.Minute) }, time.Minute,
		},
		"for the first of two": {
			func(q *queue.Queue[string]) { q.AddAfter("b", time.Hour); q.AddAfter("a", time.Minute) }, time.Minute,
		},
		"for the rate limit": {func(q *queue.Queue[string]) { q.AddRateLimited("a") }, queue.DefaultBaseDelay},
		"for a delay that was cancelled": {func(q *queue.Queue[string]) {
			q.AddAfter("b", time.Second)
			q.AddAfter("a", time.Minute)
			q.Cancel("b")
		}, time.Minute},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := queue.New(queue.Config[string]{})
				taken, _ := takeInBackground(context.Background(), q)
				begin := time.Now()
				test.add(q)
				if got := <-taken; got != "a" || time.Since(begin) != test.want {
					t.Errorf("took %q after %v, want a after %v", got, time.Since(begin), test.want)
				}
			})
		})
	}
}

func TestTakeWaitsForDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config[string]{})
		q.Add("a")
		q.Get()
		taken, _ := takeInBackground(context.Background(), q)
		q.Add("a")
		synctest.Wait()
		if len(taken) != 0 {
			t.Error("took a key that is being processed")
		}
		q.Done("a")
		<-taken
	})
}

func TestTakeWaitsForOneDelayAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config[time.Duration]{})
		start := time.Now()
		for _, delay := range []time.Duration{3 * time.Second, time.Second, 2 * time.Second} {
			q.AddAfter(delay, delay)
		}
		for range 3 {
			item, err := q.Take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := time.Since(start); got != item.Key {
				t.Errorf("a delay of %v took %v", item.Key, got)
			}
		}
	})
}

func TestOneWakeUpReachesEveryWaiter(t *testing.T) {
	ways := map[string]func(q *queue.Queue[int], key int){
		"added":       (*queue.Queue[int]).Add,
		"due at once": func(q *queue.Queue[int], key int) { q.AddAfter(key, time.Second) },
	}
	for name, add := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := queue.New(queue.Config[int]{})
				var taken atomic.Int32
				for range 10 {
					go func() {
						if _, err := q.Take(context.Background()); err == nil {
							taken.Add(1)
						}
					}()
				}
				synctest.Wait()
				for key := range 10 {
					add(q, key)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if taken.Load() != 10 {
					t.Errorf("%d of 10 waiters got a key", taken.Load())
				}
				q.ShutDown()
			})
		})
	}
}

func TestTakeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config[string]{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := q.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Take returned %v, want the context's error", err)
		}
		q.Add("a")
		if item, err := q.Take(ctx); err != nil || item.Key != "a" {
			t.Errorf("took %q, %v; a ready key goes before a context that is done", item.Key, err)
		}
	})
}

func TestACancelledWaiterLeavesTheKeysToTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config[string]{})
		ctx, cancel := context.WithCancel(t.Context())
		first, _ := takeInBackground(t.Context(), q)
		_, cancelled := takeInBackground(ctx, q)
		third, _ := takeInBackground(t.Context(), q)
		cancel()
		if err := <-cancelled; !errors.Is(err, context.Canceled) {
			t.Errorf("Take returned %v, want Canceled", err)
		}
		q.Add("a")
		q.AddAfter("b", time.Second)
		if got := map[string]bool{<-first: true, <-third: true}; !got["a"] || !got["b"] {
			t.Errorf("the others took %v, want a and b", got)
		}
	})
}

// A wake-up and a cancellation may meet; whoever gets the wake-up, the key is taken.
func TestAWakeUpThatMeetsACancellationIsNotLost(t *testing.T) {
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			q := queue.New(queue.Config[string]{})
			ctx, cancel := context.WithCancel(t.Context())
			mayGoOn, cancelled := takeInBackground(ctx, q)
			other, _ := takeInBackground(t.Context(), q)

			var both sync.WaitGroup
			both.Go(cancel)
			both.Go(func() { q.Add("a") })
			both.Wait()
			synctest.Wait()

			if len(mayGoOn)+len(other) != 1 || len(mayGoOn)+len(cancelled) != 1 {
				t.Errorf("%d and %d keys taken, %d waiters cancelled", len(mayGoOn), len(other), len(cancelled))
			}
			q.Add("b") // whoever waits now is woken
			synctest.Wait()
			if len(mayGoOn) == 1 && len(other) != 1 {
				t.Error("the second key was not taken")
			}
			q.ShutDown()
		})
	}
}

func TestShutDownReleasesWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config[string]{})
		errs := make(chan error, 3)
		for range cap(errs) {
			go func() {
				_, err := q.Take(context.Background())
				errs <- err
			}()
		}
		synctest.Wait()
		q.ShutDown()
		for range cap(errs) {
			if err := <-errs; !errors.Is(err, queue.ErrShutDown) {
				t.Errorf("Take returned %v, want ErrShutDown", err)
			}
		}
	})
}

// In a bubble of synctest every goroutine that is left over at the end fails the test.
func TestAFakeClock(t *testing.T) {
	ends := map[string]func(q *queue.Queue[string], cancel func()){
		"ShutDown":           func(q *queue.Queue[string], _ func()) { q.ShutDown() },
		"nobody waits":       func(_ *queue.Queue[string], cancel func()) { cancel() },
		"drained":            func(q *queue.Queue[string], _ func()) { q.ShutDownWithDrain() },
		"the delay is gone":  func(q *queue.Queue[string], _ func()) { q.Cancel("a"); q.Cancel("b"); q.ShutDown() },
		"the delay was long": func(q *queue.Queue[string], cancel func()) { q.AddAfter("c", time.Second); cancel() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := clocktesting.NewFakeClock(time.Unix(0, 0))
				q := queue.New(queue.Config[string]{Clock: clock})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				takeInBackground(ctx, q)
				takeInBackground(ctx, q)
				q.AddAfter("b", 2*time.Hour)
				q.AddAfter("a", time.Hour)
				end(q, cancel)
				synctest.Wait()
				if clock.HasWaiters() {
					t.Errorf("%d timers are left", clock.Waiters())
				}
			})
		})
	}
}

func TestOneTimerAtMostAndOnlyWhileSomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := clocktesting.NewFakeClock(time.Unix(0, 0))
		q := queue.New(queue.Config[string]{Clock: clock})
		want := func(timers int) {
			t.Helper()
			synctest.Wait()
			if got := clock.Waiters(); got != timers {
				t.Errorf("%d timers, want %d", got, timers)
			}
		}
		q.AddAfter("c", 3*time.Second)
		q.AddAfter("b", 2*time.Second)
		want(0)
		first, _ := takeInBackground(t.Context(), q)
		want(1)
		second, _ := takeInBackground(t.Context(), q)
		q.AddAfter("a", time.Second) // earlier
		want(1)
		for range 2 {
			clock.Step(time.Second)
			synctest.Wait()
		}
		if got := map[string]bool{<-first: true, <-second: true}; !got["a"] || !got["b"] {
			t.Errorf("took %v, want a and b", got)
		}
		clock.Step(time.Hour)
		want(0) // c is due, but nobody waits
		q.ShutDown()
	})
}

// An earlyClock's first timer fires before its time, as one does when the clock is set back.
type earlyClock struct {
	utilclock.RealClock
	wasEarly *bool
}

func (c earlyClock) NewTimer(d time.Duration) utilclock.Timer {
	if !*c.wasEarly {
		*c.wasEarly = true
		d /= 2
	}
	return c.RealClock.NewTimer(d)
}

func TestATimerThatFiresEarlyLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		early := false
		q := queue.New(queue.Config[string]{Clock: earlyClock{wasEarly: &early}})
		start := time.Now()
		q.AddAfter("a", time.Second)
		if _, err := q.Take(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got != time.Second || !early {
			t.Errorf("handed out after %v, want 1s although a timer was early (%v)", got, early)
		}
	})
}
