package queue

import "time"

// AddOptions say more about an event than that it happened. The zero value is an event of normal priority.
type AddOptions struct {
	// Priority is the class in which the key waits for a worker. Of several the highest counts.
	Priority Priority

	// Delay lets the key wait before it is ready. Of several delays the earliest counts. Zero or less is none.
	Delay time.Duration

	// Now says that this event is worth a run whatever the key waits for: a delay, its retry, quiet, or a person who
	// looks at why it was parked. For instance an event that brings a new generation of the object.
	Now bool

	// Trigger says why the key is added, for the worker and for whoever inspects the queue. It is kept only if the queue
	// was told to: see [Config.Triggers].
	Trigger Trigger
}

// AddWith tells that something happened which concerns the key. Like [Queue.Add] it makes the key ready, once, with
// three differences: a key that waits for its retry goes on waiting, a parked key stays parked, and the events of a hot
// key are merged ([Config.HotKeys]). Such an event is not lost: it is seen by the run that comes. After [Queue.ShutDown]
// it does nothing.
func (q *Queue[K]) AddWith(key K, options AddOptions) {
	q.mu.Lock()
	e := q.core.table.get(key)
	if q.core.isRepeated(e, options.Priority.class()) {
		e.firm = e.firm || options.Now
		q.mu.Unlock()
		return
	}
	defer q.unlock()
	if !q.core.shutDown {
		q.core.event(q.core.table.orInsert(e, key), &options, q.timeOfEvent(&options))
	}
}

// Cancel takes back the pending run of a key that waits for its time: a delay, its retry, or quiet. It says whether there
// was one; it leaves alone a key that is ready or parked, and a run that has begun. The failures of the key still count.
func (q *Queue[K]) Cancel(key K) bool {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	q.core.promote(now)
	e := q.core.table.get(key)
	if e == nil || e.pending != delayed {
		return false
	}
	q.core.cancel(e)
	return true
}

func (c *core[K]) cancel(e *entry[K]) {
	c.unschedule(e)
	e.firm, e.promised = false, false
	if e.extra != nil {
		e.extra.triggers = nil
	}
	c.rest(e)
}

// timeOfEvent is timeIfNeeded for an event.
func (q *Queue[K]) timeOfEvent(options *AddOptions) time.Duration {
	if options.Delay > 0 || q.core.hotKeys.Quiet > 0 || q.core.triggers > 0 {
		return q.now()
	}
	return q.timeIfNeeded()
}
