package queue_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A slowMetrics takes an hour to note the first key that becomes ready.
type slowMetrics struct {
	recorder
	later atomic.Bool
}

func (m *slowMetrics) Added(priority queue.Priority, n int) {
	m.recorder.Added(priority, n)
	if !m.later.Swap(true) {
		time.Sleep(time.Hour)
	}
}

func TestSlowMetricsDoNotHoldUpWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config[string]{Metrics: &slowMetrics{}})
		defer q.ShutDown()
		start := time.Now()
		var taken atomic.Int32
		for range 2 {
			go func() {
				q.Get()
				taken.Add(1)
			}()
		}
		synctest.Wait()
		go q.Add("a")
		synctest.Wait()
		q.Add("b")
		synctest.Wait()
		if n, waited := taken.Load(), time.Since(start); n != 2 || waited != 0 {
			t.Errorf("%d keys taken after %v, want 2 at once", n, waited)
		}
		time.Sleep(2 * time.Hour)
	})
}

func TestAnItemOfAnotherQueueEndsNothing(t *testing.T) {
	a, b := newRig(t, queue.Config[string]{}), newRig(t, queue.Config[string]{})
	a.Add("key")
	b.Add("key")
	item, _ := a.take("key"), b.take("key")
	b.Finish(item, queue.Success())
	if running := []int{a.Status().Running, b.Status().Running}; running[0] != 1 || running[1] != 1 {
		t.Errorf("running: %d, want 1 in each", running)
	}
}

// Those who take keys by Get may still say how the run went.
func TestAnItemWithNothingButItsKeyEndsTheRun(t *testing.T) {
	r := newRig(t, queue.Config[string]{MaxRetries: -1})
	r.Add("a")
	r.Get()
	r.Finish(queue.Item[string]{Key: "a"}, queue.Retry(errBroken))
	if parked := r.Parked(); len(parked) != 1 {
		t.Errorf("parked: %+v, want a", parked)
	}
	r.Finish(queue.Item[string]{Key: "a"}, queue.Success())
	r.Finish(queue.Item[string]{Key: "never added"}, queue.Success())
}

// A key that contains something of an interface type may have no hash, which panics.
func TestTheQueueIsUsableAfterAKeyWithoutAHash(t *testing.T) {
	for name, add := range map[string]func(q *queue.Queue[any], key any){
		"Add":            (*queue.Queue[any]).Add,
		"AddRateLimited": (*queue.Queue[any]).AddRateLimited,
		"AddAfter":       func(q *queue.Queue[any], key any) { q.AddAfter(key, time.Second) },
		"AddWith":        func(q *queue.Queue[any], key any) { q.AddWith(key, queue.AddOptions{}) },
	} {
		t.Run(name, func(t *testing.T) {
			q := queue.New(queue.Config[any]{})
			wantPanic(t, func() { add(q, []int{1}) })
			q.Add(1)
			if item, err := q.Take(context.Background()); err != nil || item.Key != 1 {
				t.Errorf("took %v, %v, want 1", item.Key, err)
			}
		})
	}
}

// Whatever may have no hash is found out before the lock is taken.
func TestTheQueueIsUsableAfterAStructWithoutAHash(t *testing.T) {
	type inner struct {
		value [1]any
	}
	type key struct {
		inner inner
	}
	q := queue.New(queue.Config[key]{})
	wantPanic(t, func() { q.Add(key{inner{value: [1]any{[]int{1}}}}) })
	wantPanic(t, func() { q.AddWith(key{inner{value: [1]any{func() {}}}}, queue.AddOptions{}) })
	q.Add(key{})
	if q.Len() != 1 {
		t.Errorf("Len is %d, want 1", q.Len())
	}
}

func TestAClockThatIsSetBackLosesNoDelay(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.clock.SetTime(r.clock.Now().Add(-time.Hour))
	r.AddAfter("a", time.Second)
	r.clock.SetTime(r.clock.Now().Add(time.Hour + time.Second))
	r.finish("a", queue.Success())
}

// An order whose next Push panics.
type clumsy struct {
	shortestFirst
	panics bool
}

func (c *clumsy) Push(key string) {
	if c.panics {
		panic("broken")
	}
	c.shortestFirst.Push(key)
}

func TestAKeyWhosePushPanickedAtTheEndOfItsRunCanBeAdded(t *testing.T) {
	order := &clumsy{}
	r := newRig(t, queue.Config[string]{Order: order})
	r.Add("a")
	item := r.take("a")
	r.Add("a")
	order.panics = true
	wantPanic(t, func() { r.Finish(item, queue.Success()) })
	order.panics = false
	r.Add("a")
	r.finish("a", queue.Success())
	r.wantIdle()
}

// A panicking limiter leaves the run as it was: it can be ended in another way.
func TestARunWhoseLimiterPanickedCanBeEnded(t *testing.T) {
	r := newRig(t, queue.Config[string]{RateLimiter: panickingLimiter{}})
	r.Add("a")
	item := r.take("a")
	wantPanic(t, func() { r.Finish(item, queue.Retry(errBroken)) })
	r.Finish(item, queue.RetryAfter(time.Minute, errBroken))
	if retried := r.takeAfter(time.Minute, "a"); retried.Attempt != 2 {
		t.Errorf("attempt %d, want 2", retried.Attempt)
	}
}

type panickingLimiter struct{}

func (panickingLimiter) When(string) time.Duration { panic("broken") }
func (panickingLimiter) Forget(string)             {}
func (panickingLimiter) NumRequeues(string) int    { return 0 }
