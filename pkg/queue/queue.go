package queue

import (
	"context"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Config configures a [Queue]. The zero value works.
type Config[K comparable] struct {
	// RateLimiter decides how long a key added by [Queue.AddRateLimited] waits.
	// Defaults to [DefaultRateLimiter].
	RateLimiter RateLimiter[K]

	// Clock tells the time and makes the timer. Defaults to the real clock.
	Clock clock.WithTicker
}

func (c Config[K]) withDefaults() Config[K] {
	if c.RateLimiter == nil {
		c.RateLimiter = DefaultRateLimiter[K]()
	}
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	return c
}

// A Queue hands keys to workers: see the package documentation for what it guarantees. Create one with [New].
type Queue[K comparable] struct {
	limiter RateLimiter[K]
	clock   clock.WithTicker
	timer   clock.Timer   // fires when the first delayed key is due
	wake    chan struct{} // holds a token while a key may be ready
	closed  chan struct{}

	mu       sync.Mutex
	entries  map[K]*entry[K]
	spare    []*entry[K] // for keys to come, at most maxSpare
	ready    ring[*entry[K]]
	delayed  schedule[K]
	shutDown bool
}

// An Item is a key that was taken from a queue.
type Item[K comparable] struct {
	Key K

	// ReadyAt is when the key became ready to be taken: when it was added, its delay was over, or it was done after
	// being added while it was processed.
	ReadyAt time.Time
}

// New returns an empty queue. It needs no goroutine; [Queue.ShutDown] releases those who wait.
func New[K comparable](config Config[K]) *Queue[K] {
	config = config.withDefaults()
	timer := config.Clock.NewTimer(time.Hour)
	timer.Stop()
	return &Queue[K]{
		limiter: config.RateLimiter,
		clock:   config.Clock,
		timer:   timer,
		wake:    make(chan struct{}, 1),
		closed:  make(chan struct{}),
		entries: make(map[K]*entry[K]),
	}
}

// Add makes the key ready now. It does nothing when the key already waits to be taken; it overtakes a pending delay;
// for a key that is being processed it takes effect at [Queue.Done]. After [Queue.ShutDown] it does nothing.
func (q *Queue[K]) Add(key K) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.shutDown {
		return
	}
	q.promoteLocked() // what was due before comes before
	q.makeReadyLocked(q.entryLocked(key))
}

// AddAfter makes the key ready after the delay. It does nothing when the key is ready already or due earlier. A delay
// that is not positive is an [Queue.Add].
func (q *Queue[K]) AddAfter(key K, delay time.Duration) {
	if delay <= 0 {
		q.Add(key)
		return
	}
	due := q.clock.Now().Add(delay)

	q.mu.Lock()
	defer q.mu.Unlock()
	if q.shutDown {
		return
	}
	q.delayLocked(q.entryLocked(key), due)
}

// AddRateLimited makes the key ready when the rate limiter says so, counting it as one more failure of the key. After
// [Queue.ShutDown] it does nothing.
func (q *Queue[K]) AddRateLimited(key K) {
	if q.isShutDown() {
		return
	}
	q.AddAfter(key, q.limiter.When(key))
}

// Forget tells the rate limiter that the key succeeded: its next failure counts as the first.
func (q *Queue[K]) Forget(key K) {
	q.limiter.Forget(key)
}

// Failures returns how often the key was added rate-limited since it was last forgotten.
func (q *Queue[K]) Failures(key K) int {
	return q.limiter.NumRequeues(key)
}

// Len returns how many keys are ready to be taken. Delayed and running keys do not count.
func (q *Queue[K]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.promoteLocked()
	return q.ready.len()
}

// Take waits for a key and hands it out; the caller must call [Queue.Done] with it. It prefers a ready key to a context
// that is done. Otherwise it returns the context's error, or [ErrShutDown] when the queue is shut down and empty.
func (q *Queue[K]) Take(ctx context.Context) (Item[K], error) {
	for {
		item, ok, shutDown := q.tryTake()
		switch {
		case ok:
			return item, nil
		case shutDown:
			return Item[K]{}, ErrShutDown
		}
		select {
		case <-q.wake:
		case <-q.timer.C():
			q.timerFired()
		case <-q.closed:
		case <-ctx.Done():
			return Item[K]{}, ctx.Err()
		}
	}
}

// Done ends the processing of a key that was taken. A key that was added meanwhile becomes ready. Done of a key that is
// not being processed does nothing.
func (q *Queue[K]) Done(key K) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := q.entries[key]
	if e == nil || !e.running {
		return
	}
	q.promoteLocked() // what was due before comes before
	e.running = false
	switch e.state {
	case idle:
		q.dropLocked(e)
	case ready:
		e.readyAt = q.clock.Now()
		q.pushLocked(e)
	case delayed: // stays scheduled
	}
}

// ShutDown makes the queue ignore further adds and drops its delayed keys. Ready keys are still handed out; then
// [Queue.Take] returns [ErrShutDown]. Calling it again does nothing.
func (q *Queue[K]) ShutDown() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.shutDown {
		return
	}
	q.shutDown = true
	q.promoteLocked()
	for e := q.delayed.next(); e != nil; e = q.delayed.next() {
		q.unscheduleLocked(e)
	}
	q.timer.Stop()
	close(q.closed)
}

func (q *Queue[K]) isShutDown() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.shutDown
}

// timerFired sets the timer again, also when it has fired before its time and nothing is due.
func (q *Queue[K]) timerFired() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.promoteLocked()
	q.armLocked()
}

// tryTake hands out the oldest ready key, if there is one.
func (q *Queue[K]) tryTake() (item Item[K], ok, shutDown bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.promoteLocked()
	if q.ready.len() == 0 {
		return Item[K]{}, false, q.shutDown
	}
	e := q.ready.pop()
	e.state, e.running = idle, true
	if q.ready.len() > 0 {
		q.signal() // pass the wake-up on: one token may stand for many keys
	}
	return Item[K]{Key: e.key, ReadyAt: e.readyAt}, true, q.shutDown
}

// entryLocked returns the entry of the key, made if needed. The caller must give a new one a state.
func (q *Queue[K]) entryLocked(key K) *entry[K] {
	e := q.entries[key]
	if e == nil {
		e = q.newEntryLocked()
		e.key = key
		q.entries[key] = e
	}
	return e
}

// maxSpare is how many entries are kept for reuse, so that a queue in steady state allocates nothing.
const maxSpare = 1024

func (q *Queue[K]) newEntryLocked() *entry[K] {
	last := len(q.spare) - 1
	if last < 0 {
		return new(entry[K])
	}
	e := q.spare[last]
	q.spare = q.spare[:last]
	return e
}

// dropLocked forgets a key that is idle and not running.
func (q *Queue[K]) dropLocked(e *entry[K]) {
	delete(q.entries, e.key)
	if len(q.spare) < maxSpare {
		*e = entry[K]{}
		q.spare = append(q.spare, e)
	}
}

func (q *Queue[K]) makeReadyLocked(e *entry[K]) {
	switch e.state {
	case ready:
		return
	case delayed:
		first := q.delayed.next() == e
		q.delayed.remove(e)
		if first {
			q.armLocked()
		}
	case idle:
	}
	e.state, e.readyAt = ready, q.clock.Now()
	if !e.running {
		q.pushLocked(e)
	}
}

func (q *Queue[K]) delayLocked(e *entry[K], due time.Time) {
	switch e.state {
	case idle:
		e.state = delayed
		q.delayed.add(e, due)
	case delayed:
		if !due.Before(e.due) {
			return
		}
		q.delayed.advance(e, due)
	case ready:
		return
	}
	if q.delayed.next() == e {
		q.armLocked()
	}
}

// promoteLocked makes all delayed keys ready that are due.
func (q *Queue[K]) promoteLocked() {
	first := q.delayed.next()
	if first == nil {
		return
	}
	now := q.clock.Now()
	if first.due.After(now) {
		return
	}
	for e := first; e != nil && !e.due.After(now); e = q.delayed.next() {
		q.delayed.remove(e)
		e.state, e.readyAt = ready, e.due
		if !e.running {
			q.pushLocked(e)
		}
	}
	q.armLocked()
}

// unscheduleLocked drops the pending run of a delayed key.
func (q *Queue[K]) unscheduleLocked(e *entry[K]) {
	q.delayed.remove(e)
	e.state = idle
	if !e.running {
		q.dropLocked(e)
	}
}

func (q *Queue[K]) pushLocked(e *entry[K]) {
	q.ready.push(e)
	q.signal()
}

// armLocked sets the timer to the first delayed key.
func (q *Queue[K]) armLocked() {
	q.timer.Stop()
	select {
	case <-q.timer.C(): // a fake clock keeps the old tick
	default:
	}
	first := q.delayed.next()
	if first == nil {
		return
	}
	wait := first.due.Sub(q.clock.Now())
	if wait <= 0 {
		q.signal() // due already: whoever wakes up promotes it
		return
	}
	q.timer.Reset(wait)
}

// signal wakes one of those who wait in Take, or the next who comes.
func (q *Queue[K]) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
