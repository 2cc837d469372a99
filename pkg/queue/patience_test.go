package queue_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A slowClock goes on a bit each time that somebody looks at it.
type slowClock struct {
	clock.RealClock

	look  time.Duration
	looks *atomic.Int64
}

func (c slowClock) Since(t time.Time) time.Duration {
	return c.RealClock.Since(t) + time.Duration(c.looks.Add(1))*c.look
}

// busy returns a queue with a worker whose last runs were quick, if the clock says so, and which is at a key.
func busy(t *testing.T, look time.Duration) (*queue.Queue[int], *queue.Item[int]) {
	t.Helper()
	q := queue.New(queue.Config[int]{Timed: true, Clock: slowClock{look: look, looks: new(atomic.Int64)}})
	q.Add(0)
	item, err := q.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		q.Add(0)
		if !q.FinishAndTake(&item, queue.Success()) {
			t.Fatal("the worker that is at it got no key")
		}
	}
	return q, &item
}

const quick = 100 * time.Nanosecond

// second has another worker wait for a key.
func second(q *queue.Queue[int]) <-chan int {
	taken := make(chan int, 1)
	go func() {
		if item, err := q.Take(context.Background()); err == nil {
			taken <- item.Key
		}
	}()
	synctest.Wait()
	return taken
}

func TestOneWorkerIsEnoughForQuickRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, item := busy(t, quick)
		defer q.ShutDown()
		taken := second(q)
		for key := range 3 {
			q.Add(key + 1)
			synctest.Wait()
			time.Sleep(20 * time.Microsecond)
			if err := queue.CheckInvariants(q); err != nil || len(taken) != 0 {
				t.Fatalf("the second got %d keys; %v", len(taken), err)
			}
			if !q.FinishAndTake(item, queue.Success()) || item.Key != key+1 {
				t.Fatalf("the first got key %d, want %d", item.Key, key+1)
			}
		}
	})
}

// Of two workers that are at it, one is soon enough.
func TestAWorkerLeavesTheNextKeyToAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, first := busy(t, quick)
		defer q.ShutDown()
		q.Add(1)
		item, err := q.Take(t.Context()) // as soon as the first has taken long
		if err != nil {
			t.Fatal(err)
		}
		took := 0
		for q.Add(2); took < 10 && q.FinishAndTake(first, queue.Success()); q.Add(2) {
			took++
		}
		if took == 10 || q.Len() != 1 {
			t.Errorf("the first took %d keys, %d are left", took, q.Len())
		}
		if !q.FinishAndTake(&item, queue.Success()) || item.Key != 2 {
			t.Errorf("the second got key %d, want 2", item.Key)
		}
	})
}

func TestASecondWorkerHelpsWhenTheFirstTakesLong(t *testing.T) {
	for name, add := range map[string]func(q *queue.Queue[int]) <-chan int{
		"that waits for a key":         func(q *queue.Queue[int]) <-chan int { taken := second(q); q.Add(1); return taken },
		"that comes when one is ready": func(q *queue.Queue[int]) <-chan int { q.Add(1); return second(q) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, item := busy(t, quick)
				defer q.ShutDown()
				begin := time.Now()
				taken := add(q)
				synctest.Wait()
				if len(taken) != 0 {
					t.Error("the second got the key at once")
				}
				<-taken
				if waited := time.Since(begin); waited > 50*time.Microsecond {
					t.Errorf("the second waited for %v", waited)
				}
				q.Add(2)
				q.Finish(*item, queue.Success())
				if key := <-second(q); key != 2 {
					t.Errorf("then it got %d, want 2", key)
				}
			})
		})
	}
}

func TestASecondWorkerHelpsAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		look   time.Duration
		before func(q *queue.Queue[int], first *queue.Item[int])
	}{
		"because runs are not quick":         {look: 2 * time.Microsecond},
		"because time stands still":          {look: 0},
		"because the first is at nothing":    {quick, func(q *queue.Queue[int], first *queue.Item[int]) { q.Finish(*first, queue.Success()) }},
		"because the first has taken long":   {quick, func(*queue.Queue[int], *queue.Item[int]) { time.Sleep(time.Millisecond) }},
		"because nothing will be added more": {quick, func(q *queue.Queue[int], _ *queue.Item[int]) { q.Add(1); q.ShutDown() }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, first := busy(t, test.look)
				defer q.ShutDown()
				if test.before != nil {
					test.before(q, first)
				}
				q.Add(1)
				if taken := second(q); len(taken) != 1 {
					t.Error("it did not")
				}
			})
		})
	}
}

// Nobody waits for a worker that has gone.
func TestTheLastWorkerWakesAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, first := busy(t, quick)
		defer q.ShutDown()
		taken := second(q)
		q.Add(1)
		synctest.Wait()
		q.Finish(*first, queue.Success())
		synctest.Wait()
		if len(taken) != 1 {
			t.Error("the key waits, though nobody is at anything")
		}
	})
}

func TestAContextThatIsDoneGetsAKeyThatIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := busy(t, quick)
		defer q.ShutDown()
		q.Add(1)
		done, cancel := context.WithCancel(t.Context())
		cancel()
		if item, err := q.Take(done); err != nil || item.Key != 1 {
			t.Errorf("got key %d, %v", item.Key, err)
		}
	})
}

// Whatever runs take, each key runs, and not before it is ready.
func TestQuickAndSlowRuns(t *testing.T) {
	q := queue.New(queue.Config[int]{Timed: true})
	var ran atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for {
				item, err := q.Take(context.Background())
				if err != nil {
					return
				}
				for more := true; more; more = q.FinishAndTake(&item, queue.Success()) {
					ran.Add(1)
					if item.TakenAt.Before(item.ReadyAt) {
						t.Errorf("key %d was taken %v before it was ready", item.Key, item.ReadyAt.Sub(item.TakenAt))
					}
					if item.Key%1000 == 0 {
						time.Sleep(time.Millisecond)
					}
				}
			}
		})
	}
	const keys = 200_000
	var producing sync.WaitGroup
	for producer := range 4 {
		producing.Go(func() {
			for key := producer; key < keys; key += 4 {
				q.Add(key)
				for q.Len() > 3 { // so that most keys become ready while somebody wants one
					runtime.Gosched()
				}
			}
		})
	}
	producing.Wait()
	q.ShutDownWithDrain()
	group.Wait()
	if ran.Load() != keys {
		t.Errorf("%d runs of %d keys", ran.Load(), keys)
	}
}
