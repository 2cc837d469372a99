package queue

import "time"

// A Status says what is in a [Queue] at a moment, as far as it can be counted and measured.
type Status struct {
	Ready   int // keys that wait for a worker
	Delayed int // keys that wait for their time
	Running int // keys that are being processed
	Parked  int // keys that failed too often
	Tenants int // tenants that have any of these keys, if the queue knows tenants

	Classes [numClasses]ClassStatus // from the lowest priority to the highest

	// How long keys have been ready or running, zero if the queue keeps no times: see [Config.Timed].
	OldestReady    time.Duration // the longest, of the keys that are next in their class, or in that of their tenant
	LongestRunning time.Duration // the longest
	Unfinished     time.Duration // all running keys together
}

// A ClassStatus counts the keys of one priority. A key that waits for its time, and is ready or running until then, counts for
// both.
type ClassStatus struct {
	Priority                        Priority
	Ready, Delayed, Running, Parked int
}

// Status says what is in the queue. It costs little, but for tenants: it looks at each that has ready keys.
func (q *Queue[K]) Status() Status {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	q.core.promote(now)
	return q.core.status(now)
}

// status takes time in proportion to the number of tenants that have ready keys.
func (c *core[K]) status(now time.Duration) Status {
	status := Status{
		Ready:   c.ready.len(),
		Delayed: c.delayed.len(),
		Running: c.running.count,
		Parked:  c.parked.count,
		Tenants: c.table.busy,
	}
	for i := range status.Classes {
		status.Classes[i] = ClassStatus{
			Priority: class(i).priority(),
			Ready:    c.counts[inReady][i],
			Delayed:  c.counts[inDelayed][i],
			Running:  c.counts[inRunning][i],
			Parked:   c.counts[inParked][i],
		}
	}
	if c.timed {
		c.measure(&status, now)
	}
	return status
}

func (c *core[K]) measure(status *Status, now time.Duration) {
	status.Unfinished = time.Duration(c.running.count)*now - c.started
	if first := c.running.head; first != nil {
		status.LongestRunning = now - first.since
	}
	if oldest := c.ready.oldest(); oldest != nil {
		status.OldestReady = now - oldest.since
	}
}
