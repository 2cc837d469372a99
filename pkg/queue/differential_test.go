package queue_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/workqueue"
	"pgregory.net/rapid"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// The calls of client-go do what client-go's own queue does, except that a run which comes earlier is a retry as well:
//
//	call                                client-go                            Sluice
//	Add of a key that waits for its     runs now, and when the wait ends     runs now
//	  retry
//	AddRateLimited of one that is ready likewise                             runs now; the failure counts
//	the same while it is running        runs after Done, and likewise        runs after Done
//	Forget, then AddRateLimited of      the shorter wait                     the wait that it has; the failure counts
//	  a key that waits for its retry
//	AddRateLimited of a key that waits  counts and spends a token            a limiter that is no Pacer is not asked
//	  for its retry
//	AddRateLimited after ShutDown       counts                               does nothing
//	Done of a key that is not running   queues a ready key twice             does nothing
//
// TestDifferencesFromClientGo shows each, TestQueueAgainstClientGo that there are no others.
var _ workqueue.TypedRateLimitingInterface[string] = (*queue.Queue[string])(nil)

type clientGoQueue = workqueue.TypedRateLimitingInterface[string]

const (
	retryBase    = 5 * time.Millisecond
	retryLongest = 1000 * time.Second
)

func newClientGoLimiter() workqueue.TypedRateLimiter[string] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[string](retryBase, retryLongest)
}

// A duel makes the same calls of client-go's queue and of ours. Time passes in a bubble.
type duel struct {
	t         *rapid.T
	theirs    clientGoQueue
	ours      *queue.Queue[string]
	pacer     bool
	running   []string
	forgotten map[string]bool // while it waited for its retry
}

func newDuel(t *rapid.T) *duel {
	d := &duel{
		t: t, theirs: workqueue.NewTypedRateLimitingQueue(newClientGoLimiter()),
		pacer: rapid.Bool().Draw(t, "pacer"), forgotten: map[string]bool{},
	}
	limiter := queue.RateLimiter[string](newClientGoLimiter()) // each can stand for the other
	if d.pacer {
		limiter = newExponential(retryBase, retryLongest)
	}
	d.ours = queue.New(queue.Config[string]{RateLimiter: limiter})
	return d
}

// call calls both a moment after the call before, so that no two delays end at the same time, for which client-go has no
// order.
func (d *duel) call(do func(q clientGoQueue)) {
	time.Sleep(time.Nanosecond)
	do(d.theirs)
	do(d.ours)
	synctest.Wait()
}

func (d *duel) drawKey(t *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "key")
}

// pending says where the pending run of a key is.
func (d *duel) pending(key string) queue.State {
	info, _ := d.ours.Find(key)
	if info.State == queue.Running {
		return info.Next
	}
	return info.State
}

func (d *duel) awaitsRetry(key string) bool {
	info, _ := d.ours.Find(key)
	return !info.Due.IsZero() && info.Wait == queue.WaitBackOff
}

func (d *duel) add(t *rapid.T) {
	if key := d.drawKey(t); !d.awaitsRetry(key) {
		d.call(func(q clientGoQueue) { q.Add(key) })
	}
}

func (d *duel) addAfter(t *rapid.T) {
	key, delay := d.drawKey(t), time.Duration(rapid.IntRange(1, 30).Draw(t, "ms"))*time.Millisecond
	d.call(func(q clientGoQueue) { q.AddAfter(key, delay) })
}

func (d *duel) addRateLimited(t *rapid.T) {
	key := d.drawKey(t)
	pending := d.pending(key)
	known := pending == queue.Ready || pending == queue.Delayed && (d.forgotten[key] || !d.pacer) || d.ours.ShuttingDown()
	if !known {
		d.forgotten[key] = false
		d.call(func(q clientGoQueue) { q.AddRateLimited(key) })
	}
}

func (d *duel) forget(t *rapid.T) {
	key := d.drawKey(t)
	d.forgotten[key] = d.pending(key) == queue.Delayed
	d.call(func(q clientGoQueue) { q.Forget(key) })
}

func (d *duel) get(t *rapid.T) {
	if d.theirs.Len() == 0 && !d.theirs.ShuttingDown() {
		return
	}
	want, wantShutDown := d.theirs.Get()
	got, shutDown := d.ours.Get()
	if got != want || shutDown != wantShutDown {
		t.Fatalf("got %q, %v; client-go %q, %v", got, shutDown, want, wantShutDown)
	}
	if !shutDown {
		d.running = append(d.running, got)
	}
}

func (d *duel) done(t *rapid.T) {
	if len(d.running) == 0 {
		return
	}
	key := rapid.SampledFrom(d.running).Draw(t, "running")
	d.running = without(d.running, key)
	d.call(func(q clientGoQueue) { q.Done(key) })
}

func (d *duel) shutDown(t *rapid.T) {
	if rapid.IntRange(0, 19).Draw(t, "really") == 13 {
		d.call(clientGoQueue.ShutDown)
	}
}

func (d *duel) sleep(t *rapid.T) {
	time.Sleep(time.Duration(rapid.IntRange(1, 40).Draw(t, "ms")) * time.Millisecond)
	synctest.Wait()
}

func (d *duel) compare(t *rapid.T) {
	if got, want := d.ours.Len(), d.theirs.Len(); got != want {
		t.Fatalf("Len is %d, of client-go %d", got, want)
	}
	if got, want := d.ours.ShuttingDown(), d.theirs.ShuttingDown(); got != want {
		t.Fatalf("ShuttingDown is %v, of client-go %v", got, want)
	}
	for _, key := range []string{"a", "b", "c", "d"} {
		if got, want := d.ours.NumRequeues(key), d.theirs.NumRequeues(key); got != want {
			t.Fatalf("NumRequeues of %q is %d, of client-go %d", key, got, want)
		}
	}
}

// end lets delays end and takes what is left.
func (d *duel) end(t *rapid.T) {
	time.Sleep(time.Minute)
	synctest.Wait()
	d.call(clientGoQueue.ShutDown)
	for d.theirs.Len() > 0 || len(d.running) > 0 {
		d.get(t)
		d.done(t)
		d.compare(t)
	}
	d.get(t)
}

func TestQueueAgainstClientGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Only a testing.T is asked for its deadline, which is forbidden in a bubble.
		rapid.Check(struct{ rapid.TB }{t}, func(t *rapid.T) {
			d := newDuel(t)
			defer d.theirs.ShutDown()
			for range 20 {
				t.Repeat(map[string]func(*rapid.T){
					"":               d.compare,
					"Add":            d.add,
					"AddAfter":       d.addAfter,
					"AddRateLimited": d.addRateLimited,
					"retry again":    d.addRateLimited,
					"Forget":         d.forget,
					"Get":            d.get,
					"Get again":      d.get,
					"Done":           d.done,
					"ShutDown":       d.shutDown,
					"sleep":          d.sleep,
				})
			}
			d.end(t)
		})
	})
}

// handedOut returns what a worker gets within a minute that needs a millisecond for each key, and when.
func handedOut(q clientGoQueue) []string {
	var log []string
	start := time.Now()
	time.AfterFunc(time.Minute, q.ShutDown)
	for {
		key, shutDown := q.Get()
		if shutDown {
			return log
		}
		log = append(log, fmt.Sprint(key, " ", time.Since(start)))
		time.Sleep(time.Millisecond)
		q.Done(key)
	}
}

func TestDifferencesFromClientGo(t *testing.T) {
	again := func(more func(q clientGoQueue)) func(q clientGoQueue) {
		return func(q clientGoQueue) {
			q.Add("a")
			q.Get()
			q.Add("a")
			more(q)
			q.Done("a")
		}
	}
	tests := map[string]struct {
		do               func(q clientGoQueue)
		clientGo, sluice []string
		failures         [2]int // of client-go and of ours
	}{
		"Add of a key that waits for its retry": {
			do:       func(q clientGoQueue) { q.AddRateLimited("a"); q.Add("a") },
			clientGo: []string{"a 0s", "a 5ms"}, sluice: []string{"a 0s"}, failures: [2]int{1, 1},
		},
		"AddRateLimited of a key that is ready": {
			do:       func(q clientGoQueue) { q.Add("a"); q.AddRateLimited("a") },
			clientGo: []string{"a 0s", "a 5ms"}, sluice: []string{"a 0s"}, failures: [2]int{1, 1},
		},
		"AddRateLimited of a key that runs again after Done": {
			do:       again(func(q clientGoQueue) { q.AddRateLimited("a") }),
			clientGo: []string{"a 0s", "a 5ms"}, sluice: []string{"a 0s"}, failures: [2]int{1, 1},
		},
		"Forget and AddRateLimited of a key that waits for its retry": {
			do: func(q clientGoQueue) {
				q.AddRateLimited("b") // a second failure waits 10ms
				q.Get()
				q.AddRateLimited("b")
				q.Done("b")
				q.Forget("b")
				q.AddRateLimited("b")
			},
			clientGo: []string{"b 5ms"}, sluice: []string{"b 10ms"}, failures: [2]int{1, 1},
		},
		"AddRateLimited after ShutDown": {
			do:       func(q clientGoQueue) { q.ShutDown(); q.AddRateLimited("a") },
			failures: [2]int{1, 0},
		},
		"Done of a key that is not running": {
			do:       func(q clientGoQueue) { q.Add("a"); q.Done("a") },
			clientGo: []string{"a 0s", "a 1ms"}, sluice: []string{"a 0s"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limiter := newExponential(retryBase, retryLongest)
				for i, q := range []clientGoQueue{
					workqueue.NewTypedRateLimitingQueue(newClientGoLimiter()),
					queue.New(queue.Config[string]{RateLimiter: limiter}),
				} {
					test.do(q)
					failures := q.NumRequeues("a") + q.NumRequeues("b")
					if got, want := handedOut(q), [][]string{test.clientGo, test.sluice}[i]; !slices.Equal(got, want) {
						t.Errorf("%T: %q, want %q", q, got, want)
					}
					if failures != test.failures[i] {
						t.Errorf("%T: %d failures, want %d", q, failures, test.failures[i])
					}
				}
			})
		})
	}
}

// "AddRateLimited of a key that waits for its retry" with a limiter that is no Pacer.
func TestALimiterIsNotAskedForAWaitThatIsNotNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		theirs, ours := newClientGoLimiter(), newClientGoLimiter()
		for _, q := range []clientGoQueue{
			workqueue.NewTypedRateLimitingQueue(theirs), queue.New(queue.Config[string]{RateLimiter: ours}),
		} {
			q.AddRateLimited("a")
			q.AddRateLimited("a")
			if got := q.NumRequeues("a"); got != 2 {
				t.Errorf("%T: %d failures, want 2", q, got)
			}
			q.ShutDown()
		}
		if got, want := ours.NumRequeues("a"), theirs.NumRequeues("a")-1; got != want {
			t.Errorf("the limiter was asked %d times, want %d", got, want)
		}
	})
}
