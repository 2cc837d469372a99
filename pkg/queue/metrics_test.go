package queue_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A recorder is Metrics that notes what it is told.
type recorder struct {
	mu      sync.Mutex
	calls   []string // all but gauges
	added   int
	taken   int
	ended   int
	retried int
	gauges  []queue.Status
	at      []time.Time // of the gauges
}

func (r *recorder) note(format string, args ...any) {
	r.calls = append(r.calls, fmt.Sprintf(format, args...))
}

func (r *recorder) Added(priority queue.Priority, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.added += n
	r.note("added %v %d", priority, n)
}

func (r *recorder) Taken(priority queue.Priority, waited time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken++
	r.note("taken %v %v", priority, waited)
}

func (r *recorder) Finished(priority queue.Priority, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended++
	r.note("finished %v %v", priority, took)
}

func (r *recorder) Retried(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retried += n
	r.note("retried %d", n)
}

func (r *recorder) Gauges(status queue.Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gauges = append(r.gauges, status)
	r.at = append(r.at, time.Now())
}

// told returns what was told since it was last called.
func (r *recorder) told() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.calls = nil
	return calls
}

func (r *recorder) shown() []queue.Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.gauges)
}

func (r *recorder) times() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.at)
}

// A quietClock is a clock whose timers never fire, so that nobody but the test moves the queue.
type quietClock struct{ *clocktesting.FakeClock }

func (quietClock) NewTimer(time.Duration) clock.Timer { return neverTimer{} }

type neverTimer struct{}

func (neverTimer) C() <-chan time.Time      { return nil }
func (neverTimer) Stop() bool               { return true }
func (neverTimer) Reset(time.Duration) bool { return true }

// newRecordedRig returns a queue whose metrics are noted, without gauges.
func newRecordedRig(t *testing.T, config queue.Config[string]) (rig, *recorder) {
	t.Helper()
	metrics := &recorder{}
	fake := clocktesting.NewFakeClock(time.Unix(0, 0))
	config.Metrics, config.Clock, config.RateLimiter = metrics, quietClock{fake}, backOff()
	r := rig{queue.New(config), t, fake}
	t.Cleanup(r.ShutDown)
	return r, metrics
}

func TestWhatMetricsAreTold(t *testing.T) {
	tests := map[string]struct {
		prepare, act func(r rig)
		want         []string
	}{
		"Add": {act: func(r rig) { r.Add("a") }, want: []string{"added normal 1"}},
		"repeated Add": {
			prepare: func(r rig) { r.Add("a") },
			act:     func(r rig) { r.Add("a"); r.AddWith("a", queue.AddOptions{}) },
		},
		"AddWith": {act: func(r rig) { r.AddWith("a", at(queue.High)) }, want: []string{"added high 1"}},
		"Take, after a second": {
			prepare: func(r rig) { r.AddWith("a", at(queue.Low)); r.clock.Step(time.Second) },
			act:     func(r rig) { r.take("a") },
			want:    []string{"taken low 1s"},
		},
		"Done, after a second": {
			prepare: func(r rig) { r.AddWith("a", at(queue.Low)); r.take("a"); r.clock.Step(time.Second) },
			act:     func(r rig) { r.Done("a") },
			want:    []string{"finished low 1s"},
		},
		"Done of a key that was added at another priority meanwhile": {
			prepare: func(r rig) { r.AddWith("a", at(queue.Low)); r.take("a"); r.AddWith("a", at(queue.High)) },
			act:     func(r rig) { r.Done("a") },
			want:    []string{"added high 1", "finished low 0s"},
		},
		"keys that are due": {
			prepare: func(r rig) { r.AddAfter("a", time.Second); r.AddAfter("b", time.Second); r.clock.Step(time.Second) },
			act:     func(r rig) { r.Len() },
			want:    []string{"added normal 2"},
		},
		"waited since it was due": {
			prepare: func(r rig) { r.AddAfter("a", time.Second); r.clock.Step(time.Minute); r.Len() },
			act:     func(r rig) { r.take("a") },
			want:    []string{"taken normal 59s"},
		},
		"AddAfter":          {act: func(r rig) { r.AddAfter("a", time.Second) }, want: []string{"retried 1"}},
		"AddAfter no delay": {act: func(r rig) { r.AddAfter("a", 0) }, want: []string{"added normal 1", "retried 1"}},
		"AddRateLimited":    {act: func(r rig) { r.AddRateLimited("a") }, want: []string{"retried 1"}},
		"event with a delay": {
			act: func(r rig) { r.AddWith("a", queue.AddOptions{Delay: time.Second}) },
		},
		"Retry": {
			prepare: func(r rig) { r.Add("a") },
			act:     func(r rig) { r.finish("a", queue.Retry(nil)) },
			want:    []string{"taken normal 0s", "retried 1", "finished normal 0s"},
		},
		"RequeueAfter": {
			prepare: func(r rig) { r.Add("a") },
			act:     func(r rig) { r.finish("a", queue.RequeueAfter(time.Second)) },
			want:    []string{"taken normal 0s", "finished normal 0s"},
		},
		"Park": {
			prepare: func(r rig) { r.Add("a") },
			act:     func(r rig) { r.finish("a", queue.Park(nil)) },
			want:    []string{"taken normal 0s", "finished normal 0s"},
		},
		"ReplayAll": {
			prepare: func(r rig) { r.park("a", "b") },
			act:     func(r rig) { r.ReplayAll() },
			want:    []string{"added normal 2"},
		},
		"Drop": {prepare: func(r rig) { r.park("a") }, act: func(r rig) { r.Drop("a") }},
		"after ShutDown": {
			prepare: func(r rig) { r.ShutDown() },
			act:     func(r rig) { r.Add("a"); r.AddAfter("a", time.Second); r.AddRateLimited("a") },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, metrics := newRecordedRig(t, queue.Config[string]{})
			if test.prepare != nil {
				test.prepare(r)
			}
			metrics.told()
			test.act(r)
			if got := metrics.told(); !slices.Equal(got, test.want) {
				t.Errorf("told %q, want %q", got, test.want)
			}
		})
	}
}

func TestMetricsAddUpWhateverHappens(t *testing.T) {
	r, metrics := newRecordedRig(t, queue.Config[string]{
		MaxRetries: 2, Tenant: namespace, HotKeys: queue.HotKeys{Quiet: time.Second},
	})
	random := rand.New(rand.NewPCG(1, 2))
	outcomes := []queue.Outcome{
		queue.Success(), queue.Retry(errBroken), queue.Retry(errBroken), queue.RequeueAfter(time.Second), queue.Park(nil),
	}
	var running []queue.Item[string]
	for range 20_000 {
		key := fmt.Sprintf("%d/%d", random.IntN(3), random.IntN(5))
		switch random.IntN(9) {
		case 0:
			r.Add(key)
		case 1:
			r.AddAfter(key, time.Duration(random.IntN(3))*time.Second)
		case 2:
			r.AddWith(key, queue.AddOptions{Priority: queue.Priority(random.IntN(7) - 3), Now: random.IntN(4) == 0})
		case 3, 4:
			if r.Len() > 0 {
				item, _ := r.Take(t.Context())
				running = append(running, item)
			}
		case 5, 6:
			if n := len(running); n > 0 {
				i := random.IntN(n)
				r.Finish(running[i], outcomes[random.IntN(len(outcomes))])
				running = slices.Delete(running, i, i+1)
			}
		case 7:
			r.clock.Step(time.Duration(random.IntN(1500)) * time.Millisecond)
		case 8:
			r.Replay(key)
		}
		if ready := r.Len(); metrics.added-metrics.taken != ready || metrics.taken-metrics.ended != len(running) {
			t.Fatalf("%d added, %d taken, %d finished; but %d ready and %d running",
				metrics.added, metrics.taken, metrics.ended, ready, len(running))
		}
	}
}

func TestMetricsAddUpUnderConcurrency(t *testing.T) {
	metrics := &recorder{}
	q := queue.New(queue.Config[int]{Metrics: metrics})
	var producing, working sync.WaitGroup
	for p := range 4 {
		producing.Go(func() {
			for i := range 1000 {
				q.AddWith((i+p)%32, queue.AddOptions{Priority: queue.Priority(i % 3)})
			}
		})
	}
	for range 4 {
		working.Go(func() {
			for {
				item, err := q.Take(context.Background())
				if err != nil {
					return
				}
				for q.FinishAndTake(&item, queue.Success()) {
				}
			}
		})
	}
	producing.Wait()
	q.ShutDown()
	working.Wait()
	if metrics.added != metrics.taken || metrics.taken != metrics.ended {
		t.Errorf("%d added, %d taken, %d finished", metrics.added, metrics.taken, metrics.ended)
	}
}

// A caller is Metrics that call the queue back.
type caller struct{ call func() }

func (c *caller) Added(queue.Priority, int)              { c.call() }
func (c *caller) Taken(queue.Priority, time.Duration)    { c.call() }
func (c *caller) Finished(queue.Priority, time.Duration) { c.call() }
func (c *caller) Retried(int)                            { c.call() }
func (c *caller) Gauges(queue.Status)                    { c.call() }

func TestMetricsMayCallTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics := &caller{func() {}}
		q := queue.New(queue.Config[string]{Metrics: metrics, MaxRetries: -1})
		var calls atomic.Int64 // the queue's timer calls as well
		metrics.call = func() {
			calls.Add(1)
			q.Len()
			q.Add("echo")
			q.AddWith("echo", queue.AddOptions{})
			q.Status()
			q.Inspect(-1)
			q.Find("echo")
		}
		q.Add("a")
		q.AddAfter("b", time.Second)
		item, _ := q.Take(t.Context())
		time.Sleep(time.Second)
		q.Finish(item, queue.Retry(nil))
		q.ReplayAll()
		q.ShutDown()
		if got := calls.Load(); got < 6 {
			t.Errorf("only %d calls", got)
		}
		if info, _ := q.Find("echo"); info.State != queue.Ready {
			t.Errorf("echo is %q, want ready", info.State)
		}
	})
}

func TestSlowMetricsHoldUpOnlyTheirCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		metrics := &caller{func() { <-release }}
		q := queue.New(queue.Config[string]{Metrics: metrics})
		go q.Add("a")
		synctest.Wait() // it is in Added
		if got := q.Len(); got != 1 {
			t.Errorf("Len is %d, want 1", got)
		}
		close(release)
		q.ShutDown()
	})
}
