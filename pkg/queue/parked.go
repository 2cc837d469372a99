package queue

import "time"

// Parked returns the keys that failed more often than [Config.MaxRetries] allows, or whose run ended with [Park], with
// their last error and count, the longest parked first. It is a snapshot; see [Queue.Inspect] for one with a limit.
//
// A parked key stays so until [Queue.Replay], [Queue.Drop], [Queue.Add] and its like, or an event that says Now. Parked
// keys take memory like any other; keys of objects that are gone should be dropped.
func (q *Queue[K]) Parked() []KeyInfo[K] {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	q.core.promote(now)
	return q.core.infos(q.core.parked.all(), -1, now)
}

// Replay makes a parked key ready, as if it had never failed. It says whether the key was parked.
func (q *Queue[K]) Replay(key K) bool {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	e := q.core.table.get(key)
	if e == nil || e.pending != parked {
		return false
	}
	q.core.promote(now)
	q.core.replay(e, now)
	return true
}

// ReplayAll replays all parked keys, the longest parked first, and returns how many there were.
func (q *Queue[K]) ReplayAll() int {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	q.core.promote(now)
	count := q.core.parked.count
	for e := q.core.parked.head; e != nil; e = q.core.parked.head {
		q.core.replay(e, now)
	}
	return count
}

// Drop forgets a parked key. It says whether the key was parked.
func (q *Queue[K]) Drop(key K) bool {
	q.mu.Lock()
	defer q.unlock()
	e := q.core.table.get(key)
	if e == nil || e.pending != parked {
		return false
	}
	q.core.drop(e)
	return true
}

// DropAll forgets all parked keys and returns how many there were.
func (q *Queue[K]) DropAll() int {
	q.mu.Lock()
	defer q.unlock()
	return q.core.dropParked()
}

// replay makes a parked entry ready.
func (c *core[K]) replay(e *entry[K], now time.Duration) {
	c.note(e, causeReplay, now)
	c.runNow(e, now)
}

func (c *core[K]) drop(e *entry[K]) {
	c.unpark(e)
	c.rest(e)
}

func (c *core[K]) dropParked() int {
	count := c.parked.count
	for e := c.parked.head; e != nil; e = c.parked.head {
		c.drop(e)
	}
	return count
}
