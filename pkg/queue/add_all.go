package queue

import "iter"

// addedTogether is how many keys [Queue.AddAll] adds while it holds the lock, which is for some microseconds.
const addedTogether = 64

// AddAll is an [Queue.Add] of each key. For many keys it is faster, since it takes the lock, reads the clock and wakes
// somebody once for a number of them; others get at the queue in between. The keys are asked for without the lock. If that
// panics, the last few before may not have been added.
func (q *Queue[K]) AddAll(keys iter.Seq[K]) {
	some := make([]K, 0, addedTogether)
	for key := range keys {
		some = append(some, key)
		if len(some) == addedTogether {
			q.addTogether(some)
			some = some[:0]
		}
	}
	if len(some) > 0 {
		q.addTogether(some)
	}
}

func (q *Queue[K]) addTogether(keys []K) {
	q.mu.Lock()
	defer q.unlock()
	if q.core.shutDown {
		return
	}
	now := q.timeIf(false)
	for _, key := range keys {
		e := q.core.table.get(key)
		if q.core.isRepeated(e, normalClass) {
			e.firm = true
		} else {
			q.core.add(q.core.table.orInsert(e, key), now)
		}
	}
}
