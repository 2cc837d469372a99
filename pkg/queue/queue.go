package queue

import (
	"context"
	"reflect"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// A Queue hands keys to workers: see the package documentation for what it guarantees. Create one with [New]. All its
// methods may be called concurrently.
//
// It has the methods of client-go's workqueue.TypedRateLimitingInterface, with the meaning that is documented there, and
// calls of its own that can say more: [Queue.AddWith], [Queue.Take], [Queue.Finish].
type Queue[K comparable] struct {
	name    string
	metrics Metrics
	clock   clock.WithTicker
	wake    chan struct{} // holds a token for one that waits in Take

	checksKeys bool // a key may have no hash

	mu       sync.Mutex
	core     core[K]
	alarm    alarm
	waiting  int  // callers that wait in Take, or were just woken
	waking   bool // a token is in wake, or one that took it is on its way to the lock
	patience patience
	gaugesAt time.Duration // when the metrics want to see the gauges, or never
	ended    bool          // the metrics know that nothing will happen any more
	drained  chan struct{} // closed when nobody needs to wait for the queue to be empty any more; nil if nobody does
}

// New returns an empty queue. It needs no goroutine; [Queue.ShutDown] releases those who wait. New panics with the error
// of [Config.Validate] if the config is wrong.
func New[K comparable](config Config[K]) *Queue[K] {
	if err := config.Validate(); err != nil {
		panic(err)
	}
	config = config.withDefaults()
	q := &Queue[K]{
		name:     config.Name,
		metrics:  config.Metrics,
		clock:    config.Clock,
		wake:     make(chan struct{}, 1),
		core:     newCore(config),
		patience: patience{wakeAt: never},
		gaugesAt: never,

		checksKeys: mayLackHash(reflect.TypeFor[K]()),
	}
	q.alarm = alarm{clock: config.Clock, call: q.tick, at: never}
	return q
}

// Add makes the key ready now, at priority [Normal] or the one that it has already. It does nothing when the key is ready;
// it overtakes a back-off, quiet, and the delay of an event or of [RequeueAfter], and takes a parked key back. For a key
// that is being processed it takes effect at [Queue.Done]. After [Queue.ShutDown] it does nothing.
func (q *Queue[K]) Add(key K) {
	if q.checksKeys {
		check(key)
	}
	q.mu.Lock()
	e := q.core.table.get(key)
	if q.core.isRepeated(e, normalClass) {
		e.firm = true
		q.mu.Unlock()
	} else {
		q.addAndUnlock(e, key)
	}
}

// addAndUnlock is the rest of Add for a key whose entry was looked up.
func (q *Queue[K]) addAndUnlock(e *entry[K], key K) {
	defer q.unlock()
	if !q.core.shutDown {
		q.core.add(q.core.table.orInsert(e, key), q.timeIf(false))
	}
}

// AddAfter makes the key ready when the delay is over, also if it is handed out before: that is a run of its own, which
// no add or event replaces that makes the key ready at once. Of several delays, whoever asked for them, the earliest
// wins; and a key that is ready already when the delay is over is handed out once. A delay that is not positive is an
// [Queue.Add].
func (q *Queue[K]) AddAfter(key K, delay time.Duration) {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	if !q.core.shutDown {
		q.core.addAfter(q.core.table.add(key), now, delay)
	}
}

// AddRateLimited counts a failure of the key and makes it ready when the rate limiter says so. For a key that is ready
// already, or waits for its retry, it only counts; a limiter that is no [Pacer] is not even asked.
func (q *Queue[K]) AddRateLimited(key K) {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	if q.core.shutDown {
		return
	}
	e := q.core.table.add(key)
	defer q.core.rest(e) // which is for the case that the limiter panics
	q.core.addRateLimited(e, now)
}

// Forget says that the key succeeded, or is given up: its next failure counts as the first.
func (q *Queue[K]) Forget(key K) {
	q.mu.Lock()
	defer q.unlock()
	if e := q.core.table.get(key); e != nil {
		q.core.forget(e)
	} else if q.core.pacer == nil {
		q.core.limiter.Forget(key)
	}
}

// NumRequeues returns how often the key failed since it was last forgotten. A rate limiter that is no [Pacer] counts as
// well: then it is the higher of both.
func (q *Queue[K]) NumRequeues(key K) int {
	q.mu.Lock()
	defer q.unlock()
	failures := 0
	if q.core.pacer == nil {
		failures = q.core.limiter.NumRequeues(key)
	}
	if e := q.core.table.get(key); e != nil {
		failures = max(failures, int(e.failures))
	}
	return failures
}

// Len returns how many keys are ready to be taken. Delayed, running and parked keys do not count.
func (q *Queue[K]) Len() int {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	q.core.promote(now)
	return q.core.ready.len()
}

// Get is [Queue.Take] as client-go has it: it waits without a context, and says whether the queue is shut down and empty.
func (q *Queue[K]) Get() (key K, shutdown bool) {
	key, err := q.take(context.Background(), nil)
	return key, err != nil
}

// Done ends the processing of a key that was taken, without saying how: use [Queue.Finish] for that. A key that was added
// meanwhile becomes ready. Done of a key that is not being processed does nothing.
func (q *Queue[K]) Done(key K) {
	q.mu.Lock()
	defer q.unlock()
	if e := q.core.runningEntry(key); e != nil {
		q.core.done(e, q.timeOfEnd(e, Success()))
	}
}

// now returns the time since the queue was made.
func (q *Queue[K]) now() time.Duration {
	return max(0, q.clock.Since(q.core.start)) // below if the clock was set back
}

// timeIf returns the time if it is needed, by the caller or by the queue: reading the clock takes longer than the rest of
// most calls.
func (q *Queue[K]) timeIf(needed bool) time.Duration {
	if needed || q.core.timed || q.core.delayed.len() > 0 {
		return q.now()
	}
	return 0
}

// timeOfEnd returns the time if the end of the entry's run needs it.
func (q *Queue[K]) timeOfEnd(e *entry[K], outcome Outcome) time.Duration {
	if outcome.kind == succeeded && !e.awaits() && q.metrics == nil {
		return 0
	}
	return q.timeIf(outcome.kind != succeeded)
}
