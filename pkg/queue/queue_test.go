package queue_test

import (
	"context"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// backOff is the rate limiter of tests that need a growing wait: 1 s, 2 s, 4 s and so on up to a minute.
func backOff() queue.RateLimiter[string] {
	return queue.Exponential[string](queue.ExponentialConfig{Base: time.Second, Max: time.Minute})
}

// A rig is a queue whose clock stands still until the test moves it.
type rig struct {
	*queue.Queue[string]
	t     *testing.T
	clock *clocktesting.FakeClock
}

func newRig(t *testing.T, config queue.Config[string]) rig {
	t.Helper()
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	config.Clock = clock
	if config.RateLimiter == nil {
		config.RateLimiter = backOff()
	}
	return rig{queue.New(config), t, clock}
}

// take hands out the key, which must be the next that is ready.
func (r rig) take(key string) queue.Item[string] {
	r.t.Helper()
	r.wantReady()
	item, err := r.Take(r.t.Context())
	if err != nil || item.Key != key {
		r.t.Fatalf("took %q, %v; want %q", item.Key, err, key)
	}
	return item
}

// finish takes the key, which must be the next that is ready, and ends its run.
func (r rig) finish(key string, outcome queue.Outcome) {
	r.t.Helper()
	r.Finish(r.take(key), outcome)
}

// takeAfter checks that nothing is ready until the wait is over, and takes the key, which must be ready then.
func (r rig) takeAfter(wait time.Duration, key string) queue.Item[string] {
	r.t.Helper()
	if wait > 0 {
		r.clock.Step(wait - 1)
		r.wantIdle()
		r.clock.Step(1)
	}
	return r.take(key)
}

func (r rig) wantReady() {
	r.t.Helper()
	if r.Len() == 0 {
		r.t.Fatal("nothing is ready")
	}
}

func (r rig) wantIdle() {
	r.t.Helper()
	wantKeys(r.t, take(r.t, r.Queue))
}

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

func wantPanic(t *testing.T, call func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("did not panic")
		}
	}()
	call()
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
	if q.Len() != 0 {
		t.Errorf("Len is %d while the key runs, want 0", q.Len())
	}
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

func TestFinishOfARunThatIsOver(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Finish(queue.Item[string]{}, queue.Success())
	r.Finish(queue.Item[string]{Key: "a"}, queue.Success())

	r.Add("a")
	first := r.take("a")
	r.Finish(first, queue.Success())
	r.Finish(first, queue.Retry(nil)) // twice
	r.wantIdle()

	r.Add("a")
	second := r.take("a")
	r.Finish(first, queue.Success()) // while another worker runs the key
	r.Add("a")
	r.wantIdle()
	r.Done("a")
	r.Finish(second, queue.Park(nil)) // after Done
	r.take("a")
}

func TestOrderIsThatOfBecomingReady(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Add("runs")
	r.take("runs")
	for _, key := range []string{"first", "second", "third"} {
		r.AddAfter(key, time.Second)
	}
	r.clock.Step(time.Second)
	r.Add("added later")
	r.Add("runs")
	r.AddAfter("last", time.Second)
	r.clock.Step(time.Second)
	r.Done("runs")
	wantKeys(t, take(t, r.Queue), "first", "second", "third", "added later", "last", "runs")
}

func TestReadyAt(t *testing.T) {
	tests := map[string]struct {
		prepare func(r rig)
		want    time.Duration // after the start
	}{
		"added": {func(r rig) {
			r.clock.Step(time.Second)
			r.Add("a")
			r.clock.Step(time.Hour)
		}, time.Second},
		"delayed": {func(r rig) {
			r.AddAfter("a", time.Second)
			r.clock.Step(time.Hour)
		}, time.Second},
		"added while running": {func(r rig) {
			r.Add("a")
			r.take("a")
			r.Add("a")
			r.clock.Step(time.Hour)
			r.Done("a")
		}, time.Hour},
		"due while running": {func(r rig) {
			r.Add("a")
			r.take("a")
			r.AddAfter("a", time.Second)
			r.clock.Step(time.Hour)
			r.Done("a")
		}, time.Hour},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{Timed: true})
			start := r.clock.Now()
			test.prepare(r)
			if got := r.take("a").ReadyAt.Sub(start); got != test.want {
				t.Errorf("ready %v after the start, want %v", got, test.want)
			}
		})
	}
}

// What is remembered of keys that are done has a limit, also of those that failed and were never forgotten.
func TestMemoryFollowsTheKeysThatWaitOrRun(t *testing.T) {
	const keys = 200_000
	tests := map[string]func(q *queue.Queue[int], key int){
		"added":   (*queue.Queue[int]).Add,
		"delayed": func(q *queue.Queue[int], key int) { q.AddAfter(key, time.Hour) },
	}
	for name, add := range tests {
		t.Run(name, func(t *testing.T) {
			clock := clocktesting.NewFakeClock(time.Unix(0, 0))
			q := queue.New(queue.Config[int]{Clock: clock})
			before := heap()
			for key := range keys {
				add(q, key)
			}
			full := heap() - before
			clock.Step(time.Hour)
			for range keys {
				key, _ := q.Get()
				q.Done(key)
			}
			if left := heap() - before; left > full/4 {
				t.Errorf("%d kB of %d kB are left", left>>10, full>>10)
			}
			runtime.KeepAlive(q)
		})
	}
}

// Failures that nobody forgets are remembered, but not for ever.
func TestFailuresOfIdleKeysAreRememberedUpToALimit(t *testing.T) {
	const keys, few, many = 200_000, 64 * 1024, 128 * 1024
	clock := clocktesting.NewFakeClock(time.Unix(0, 0))
	q := queue.New(queue.Config[int]{Clock: clock, RateLimiter: countlessPacer{}})
	for key := range keys {
		q.AddRateLimited(key)
		q.Get()
		q.Done(key)
	}
	remembered := 0
	for key := range keys {
		remembered += q.NumRequeues(key)
	}
	if q.NumRequeues(keys-few) != 1 || remembered > many {
		t.Errorf("%d failures are remembered, want those of the latest %d keys and %d at most", remembered, few, many)
	}
}

// A countlessPacer never waits, and leaves counting to the queue.
type countlessPacer struct{ queue.RateLimiter[int] }

func (countlessPacer) Wait(int, int, time.Time) time.Duration { return 0 }
func (countlessPacer) Spend(int, time.Time)                   {}
func (countlessPacer) Forget(int)                             {}

// Entries are used again for other keys, of which the queue must know nothing.
func TestAKeyThatFollowsManyOthersIsAsNew(t *testing.T) {
	r := newRig(t, queue.Config[string]{
		Timed: true, Tenant: namespace, Triggers: 4, HotKeys: queue.HotKeys{Quiet: time.Hour},
	})
	for i := range 5000 {
		key := strconv.Itoa(i%7) + "/" + strconv.Itoa(i)
		r.AddWith(key, queue.AddOptions{Priority: queue.Urgent, Trigger: queue.Trigger{Cause: key}})
		info, _ := r.Find(key)
		if info.State != queue.Ready || info.Failures != 0 || info.LastErr != nil || info.Tenant != namespace(key) {
			t.Fatalf("%s is %s, of tenant %s", key, info.Why(), info.Tenant)
		}
		item := r.take(key)
		if item.Attempt != 1 || item.Triggers.Count != 1 || item.Triggers.First.Cause != key {
			t.Fatalf("%s runs for %v at attempt %d", key, item.Triggers, item.Attempt)
		}
		r.Finish(item, queue.Park(errBroken))
		r.Drop(key)
	}
}

// heap returns how much memory is in use.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
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
				switch i % 5 {
				case 0:
					q.AddAfter(key, time.Microsecond)
				case 1:
					q.AddWith(key, queue.AddOptions{Priority: queue.Priority(i%7 - 3)})
				default:
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
				q.Finish(item, queue.Success())
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
