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
	if q.checksKeys {
		check(key)
	}
	q.mu.Lock()
	e := q.core.table.get(key)
	if q.core.isRepeated(e, options.Priority.class()) {
		e.firm = e.firm || options.Now
		q.mu.Unlock()
	} else {
		q.addWithAndUnlock(e, key, &options)
	}
}

// addWithAndUnlock is the rest of AddWith for a key whose entry was looked up.
func (q *Queue[K]) addWithAndUnlock(e *entry[K], key K, options *AddOptions) {
	defer q.unlock()
	if !q.core.shutDown {
		now := q.timeIf(options.Delay > 0 || q.core.hotKeys.Quiet > 0)
		q.core.event(q.core.table.orInsert(e, key), options, now)
	}
}

// Cancel takes back what a key waits for: a delay, its retry, or quiet. It says whether there was any; it leaves alone
// that a key is ready or parked, and a run that has begun. The failures of the key still count.
func (q *Queue[K]) Cancel(key K) bool {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	q.core.promote(now)
	e := q.core.table.get(key)
	if e == nil || !e.scheduled {
		return false
	}
	q.core.cancel(e)
	return true
}
