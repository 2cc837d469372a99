package queue_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// No more than one of those who wait is woken by a call, however many keys it made ready. Whoever is woken passes that
// on, so that one burst reaches as many as there are keys.
func TestABurstReachesEveryWaiter(t *testing.T) {
	const waiters = 10
	tests := map[string]func(q *queue.Queue[int]){
		"many keys by one call": func(q *queue.Queue[int]) { q.ReplayAll() },
		"many keys at one time": func(q *queue.Queue[int]) {
			q.DropAll()
			for key := range waiters {
				q.AddAfter(key, time.Second)
			}
			time.Sleep(time.Second)
		},
		"many keys by many calls": func(q *queue.Queue[int]) {
			q.DropAll()
			for key := range waiters {
				q.Add(key)
			}
		},
		"one key after the other": func(q *queue.Queue[int]) {
			q.DropAll()
			for key := range waiters {
				q.Add(key)
				synctest.Wait()
			}
		},
	}
	for name, burst := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := queue.New(queue.Config[int]{})
				parkAll(t, q, waiters)
				taken, _ := wait(q, waiters+1)
				burst(q)
				synctest.Wait()
				if len(taken) != waiters || q.Len() != 0 {
					t.Errorf("%d of %d waiters got a key, %d keys are left", len(taken), waiters, q.Len())
				}
				q.ShutDown()
			})
		})
	}
}

// The one timer serves the delay that ends first, also if that was asked for last or is taken back.
func TestAWaiterGetsEachKeyWhenItIsDue(t *testing.T) {
	tests := map[string]struct {
		ask  func(q *queue.Queue[int])
		want time.Duration
	}{
		"a shorter delay of another key": {func(q *queue.Queue[int]) { q.AddAfter(2, time.Minute) }, time.Minute},
		"a shorter delay of the key":     {func(q *queue.Queue[int]) { q.AddAfter(1, time.Second) }, time.Second},
		"a longer delay of another key":  {func(q *queue.Queue[int]) { q.AddAfter(2, 2*time.Hour) }, time.Hour},
		"a delay that was taken back": {func(q *queue.Queue[int]) {
			q.Cancel(1)
			q.AddAfter(2, 2*time.Hour)
		}, 2 * time.Hour},
	}
	for name, test := range tests {
		for clockName, its := range map[string]clock.WithTicker{"real clock": nil, "another clock": anotherClock{}} {
			t.Run(name+", "+clockName, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					start := time.Now()
					q := queue.New(queue.Config[int]{Clock: its})
					taken, _ := wait(q, 1)
					q.AddAfter(1, time.Hour)
					synctest.Wait()
					test.ask(q)
					<-taken
					if got := time.Since(start); got != test.want {
						t.Errorf("the key came after %v, want %v", got, test.want)
					}
					q.ShutDown()
				})
			})
		}
	}
}

// anotherClock is a real clock that the queue does not know to be one.
type anotherClock struct{ clock.RealClock }

func TestShutDownReachesEveryWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config[int]{})
		taken, left := wait(q, 10)
		q.Add(1)
		q.ShutDown()
		synctest.Wait()
		if len(taken) != 1 || len(left) != 9 {
			t.Errorf("of 10 waiters %d got the key and %d the end", len(taken), len(left))
		}
	})
}

// A waiter that is woken when its context ends takes the key, or somebody else does.
func TestAWaiterThatGivesUpLosesNoWakeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 200 {
			q := queue.New(queue.Config[int]{})
			ctx, cancel := context.WithCancel(t.Context())
			taken := make(chan int, 4)
			for range 3 {
				go takeOne(ctx, q, taken)
			}
			go takeOne(context.Background(), q, taken)
			synctest.Wait()
			go cancel()
			go q.Add(1)
			synctest.Wait()
			if len(taken) != 1 {
				t.Fatalf("the key was taken %d times", len(taken))
			}
			q.ShutDown()
			synctest.Wait()
			if err := queue.CheckInvariants(q); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func takeOne(ctx context.Context, q *queue.Queue[int], taken chan<- int) {
	if item, err := q.Take(ctx); err == nil {
		taken <- item.Key
	}
}

// wait lets so many wait for a key. Those who get one are in taken, the others in left.
func wait(q *queue.Queue[int], waiters int) (taken chan int, left chan error) {
	taken, left = make(chan int, waiters), make(chan error, waiters)
	for range waiters {
		go func() {
			if item, err := q.Take(context.Background()); err != nil {
				left <- err
			} else {
				taken <- item.Key
			}
		}()
	}
	synctest.Wait()
	return taken, left
}

func parkAll(t *testing.T, q *queue.Queue[int], keys int) {
	t.Helper()
	for key := range keys {
		q.Add(key)
		item, err := q.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		q.Finish(item, queue.Park(nil))
	}
}
