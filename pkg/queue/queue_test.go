package queue_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	utilclock "k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// take hands out what is ready, in order, without waiting.
func take(t *testing.T, q *queue.Queue[string]) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var keys []string
	for {
		item, err := q.Take(ctx)
		if err != nil {
			return keys
		}
		keys = append(keys, item.Key)
	}
}

func wantKeys(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("took %q, want %q", got, want)
	}
}

func TestAddsWhileQueuedAreOneRun(t *testing.T) {
	q := queue.New(queue.Config[string]{})
	for _, key := range []string{"a", "b", "a", "c", "b"} {
		q.Add(key)
	}
	if q.Len() != 3 {
		t.Errorf("Len is %d, want 3", q.Len())
	}
	wantKeys(t, take(t, q), "a", "b", "c")
}

func TestAddWhileRunningRunsAgainAfterDone(t *testing.T) {
	q := queue.New(queue.Config[string]{})
	q.Add("a")
	wantKeys(t, take(t, q), "a")

	q.Add("a")
	q.Add("a")
	wantKeys(t, take(t, q)) // one worker per key
	q.Done("a")
	wantKeys(t, take(t, q), "a")
	q.Done("a")
	wantKeys(t, take(t, q))
}

func TestDoneOfAKeyThatIsNotRunning(t *testing.T) {
	q := queue.New(queue.Config[string]{})
	q.Done("never added")
	q.Add("a")
	q.Done("a") // waits, does not run
	wantKeys(t, take(t, q), "a")
}

func TestDelays(t *testing.T) {
	tests := map[string]struct {
		add  func(q *queue.Queue[string])
		want map[time.Duration][]string // what is ready at that time after the start
	}{
		"in order of due time": {
			add:  func(q *queue.Queue[string]) { q.AddAfter("late", 2*time.Second); q.AddAfter("soon", time.Second) },
			want: map[time.Duration][]string{0: nil, time.Second: {"soon"}, 2 * time.Second: {"late"}},
		},
		"earlier delay wins": {
			add:  func(q *queue.Queue[string]) { q.AddAfter("a", 3*time.Second); q.AddAfter("a", time.Second) },
			want: map[time.Duration][]string{time.Second: {"a"}, 3 * time.Second: nil},
		},
		"later delay is ignored": {
			add:  func(q *queue.Queue[string]) { q.AddAfter("a", time.Second); q.AddAfter("a", 3*time.Second) },
			want: map[time.Duration][]string{time.Second: {"a"}, 3 * time.Second: nil},
		},
		"add overtakes a delay": {
			add:  func(q *queue.Queue[string]) { q.AddAfter("a", time.Second); q.Add("a") },
			want: map[time.Duration][]string{0: {"a"}, time.Second: nil},
		},
		"delay of a ready key is ignored": {
			add:  func(q *queue.Queue[string]) { q.Add("a"); q.AddAfter("a", time.Second) },
			want: map[time.Duration][]string{0: {"a"}, time.Second: nil},
		},
		"no delay is an add": {
			add:  func(q *queue.Queue[string]) { q.AddAfter("a", 0); q.AddAfter("b", -time.Second) },
			want: map[time.Duration][]string{0: {"a", "b"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			clock := clocktesting.NewFakeClock(time.Unix(0, 0))
			q := queue.New(queue.Config[string]{Clock: clock})
			test.add(q)
			for second := range 4 {
				got := take(t, q)
				wantKeys(t, got, test.want[time.Duration(second)*time.Second]...)
				for _, key := range got {
					q.Done(key)
				}
				clock.Step(time.Second)
			}
		})
	}
}

func TestDelayWhileRunning(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	q := queue.New(queue.Config[string]{Clock: clock})
	q.Add("a")
	wantKeys(t, take(t, q), "a")

	q.AddAfter("a", time.Second)
	clock.Step(2 * time.Second)
	wantKeys(t, take(t, q)) // due, but still running
	q.Done("a")
	wantKeys(t, take(t, q), "a")
}

func TestDoneKeepsTheDelay(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	q := queue.New(queue.Config[string]{Clock: clock})
	q.Add("a")
	wantKeys(t, take(t, q), "a")
	q.AddAfter("a", time.Second)
	q.Done("a")
	wantKeys(t, take(t, q))
	clock.Step(time.Second)
	wantKeys(t, take(t, q), "a")
}

func TestReadyAt(t *testing.T) {
	start := time.Unix(0, 0)
	tests := map[string]struct {
		prepare func(q *queue.Queue[string], clock *clocktesting.FakeClock)
		want    time.Duration // after the start
	}{
		"added": {func(q *queue.Queue[string], clock *clocktesting.FakeClock) {
			clock.Step(time.Second)
			q.Add("a")
			clock.Step(time.Hour)
		}, time.Second},
		"delayed": {func(q *queue.Queue[string], clock *clocktesting.FakeClock) {
			q.AddAfter("a", time.Second)
			clock.Step(time.Hour)
		}, time.Second},
		"added while running": {func(q *queue.Queue[string], clock *clocktesting.FakeClock) {
			q.Add("a")
			take(t, q)
			q.Add("a")
			clock.Step(time.Hour)
			q.Done("a")
		}, time.Hour},
		"due while running": {func(q *queue.Queue[string], clock *clocktesting.FakeClock) {
			q.Add("a")
			take(t, q)
			q.AddAfter("a", time.Second)
			clock.Step(time.Hour)
			q.Done("a")
		}, time.Hour},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			clock := clocktesting.NewFakeClock(start)
			q := queue.New(queue.Config[string]{Clock: clock, Timed: true})
			test.prepare(q, clock)
			item, err := q.Take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := item.ReadyAt.Sub(start); got != test.want {
				t.Errorf("ready %v after the start, want %v", got, test.want)
			}
		})
	}
}

func TestOrderIsThatOfBecomingReady(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	q := queue.New(queue.Config[string]{Clock: clock})
	q.Add("runs")
	take(t, q)
	for _, key := range []string{"first", "second", "third"} {
		q.AddAfter(key, time.Second)
	}
	clock.Step(time.Second)
	q.Add("added later")
	q.Add("runs")
	q.AddAfter("last", time.Second)
	clock.Step(time.Second)
	q.Done("runs")
	wantKeys(t, take(t, q), "first", "second", "third", "added later", "last", "runs")
}

func TestShutDownKeepsWhatIsDue(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	q := queue.New(queue.Config[string]{Clock: clock})
	q.AddAfter("due", time.Second)
	q.AddAfter("not due", time.Hour)
	clock.Step(time.Second)
	q.ShutDown()
	wantKeys(t, take(t, q), "due")
}

// An earlyClock's timers fire before their time once, as they do when the clock is set back.
type earlyClock struct{ utilclock.RealClock }

func (c earlyClock) NewTimer(d time.Duration) utilclock.Timer {
	return &earlyTimer{Timer: c.RealClock.NewTimer(d)}
}

type earlyTimer struct {
	utilclock.Timer
	wasEarly bool
}

func (t *earlyTimer) Reset(d time.Duration) bool {
	if !t.wasEarly {
		t.wasEarly = true
		d /= 2
	}
	return t.Timer.Reset(d)
}

func TestATimerThatFiresEarlyLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config[string]{Clock: earlyClock{}})
		start := time.Now()
		q.AddAfter("a", time.Second)
		if _, err := q.Take(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got < time.Second {
			t.Errorf("handed out after %v, want not before 1s", got)
		}
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

func TestTakeWaits(t *testing.T) {
	tests := map[string]func(q *queue.Queue[string]){
		"for an add":          func(q *queue.Queue[string]) { q.Add("a") },
		"for a delay":         func(q *queue.Queue[string]) { q.AddAfter("a", time.Hour) },
		"for a shorter delay": func(q *queue.Queue[string]) { q.AddAfter("a", time.Hour); q.AddAfter("a", time.Minute) },
		"for the rate limit":  func(q *queue.Queue[string]) { q.AddRateLimited("a") },
	}
	for name, add := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := queue.New(queue.Config[string]{})
				taken := make(chan string)
				go func() {
					item, _ := q.Take(context.Background())
					taken <- item.Key
				}()
				synctest.Wait()
				add(q)
				if got := <-taken; got != "a" {
					t.Errorf("took %q, want a", got)
				}
			})
		})
	}
}

func TestOneWakeUpReachesEveryWaiter(t *testing.T) {
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
			q.AddAfter(key, time.Second) // all due at once
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if taken.Load() != 10 {
			t.Errorf("%d of 10 waiters got a key", taken.Load())
		}
		q.ShutDown()
	})
}

func TestTakeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config[string]{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := q.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Take returned %v, want the context's error", err)
		}
	})
}

func TestShutDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config[string]{})
		q.Add("ready")
		q.AddAfter("delayed", time.Second)
		q.ShutDown()
		q.ShutDown()
		q.Add("late")
		q.AddAfter("late", time.Second)

		item, err := q.Take(t.Context())
		if err != nil || item.Key != "ready" {
			t.Fatalf("took %q, %v; want the key that was ready", item.Key, err)
		}
		q.Add("ready") // running, but the queue is shut down
		q.Done("ready")
		time.Sleep(time.Minute)
		if _, err := q.Take(t.Context()); !errors.Is(err, queue.ErrShutDown) {
			t.Errorf("Take returned %v, want ErrShutDown", err)
		}
	})
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

// Every add is followed by a run that starts after it, and no key runs twice at once.
func TestManyProducersManyConsumers(t *testing.T) {
	const producers, workers, keys, adds = 4, 8, 16, 2000
	q := queue.New(queue.Config[int]{})
	var added, seen [keys]atomic.Int64
	var running [keys]atomic.Bool

	var producing, working sync.WaitGroup
	for p := range producers {
		producing.Go(func() {
			for i := range adds {
				key := (i*7 + p) % keys
				added[key].Add(1)
				if i%5 == 0 {
					q.AddAfter(key, time.Microsecond)
				} else {
					q.Add(key)
				}
			}
		})
	}
	for range workers {
		working.Go(func() {
			for {
				item, err := q.Take(context.Background())
				if err != nil {
					return
				}
				if running[item.Key].Swap(true) {
					t.Errorf("key %d runs twice at once", item.Key)
				}
				seen[item.Key].Store(added[item.Key].Load())
				running[item.Key].Store(false)
				q.Done(item.Key)
			}
		})
	}
	producing.Wait()
	for key := range keys {
		q.Add(key) // delayed ones are dropped by the shutdown
	}
	q.ShutDown()
	working.Wait()
	for key := range keys {
		if seen[key].Load() != added[key].Load() {
			t.Errorf("key %d: last run saw %d adds of %d", key, seen[key].Load(), added[key].Load())
		}
	}
}
