package queue

import "time"

// Stats are what can be counted and measured in a queue at a moment.
type Stats struct {
	Ready   int // keys that wait for a worker
	Delayed int // keys that wait for their time
	Running int // keys that are being processed
	Parked  int // keys that failed too often
	Tenants int // tenants that have any of these keys, if the queue knows tenants

	Classes [numClasses]ClassStats // from the lowest priority to the highest

	// How long keys have been ready or running, zero if the queue keeps no times: see [Config.Timed].
	OldestReady    time.Duration // the longest, of the keys that are next in their class, or in that of their tenant
	LongestRunning time.Duration // the longest
	Unfinished     time.Duration // all running keys together
}

// ClassStats are the keys of one priority. A key that waits for its time, and is ready or running until then, counts for
// both.
type ClassStats struct {
	Priority                        Priority
	Ready, Delayed, Running, Parked int
}

// Stats counts and measures. It costs little, but for tenants: it looks at each that has ready keys.
func (q *Queue[K]) Stats() Stats {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	q.core.promote(now)
	return q.core.stats(now)
}

// stats takes time in proportion to the number of tenants that have ready keys.
func (c *core[K]) stats(now time.Duration) Stats {
	stats := Stats{
		Ready:   c.ready.len(),
		Delayed: c.delayed.len(),
		Running: c.running.count,
		Parked:  c.parked.count,
		Tenants: c.table.busy,
	}
	for i := range stats.Classes {
		stats.Classes[i] = ClassStats{
			Priority: class(i).priority(),
			Ready:    c.counts[inReady][i],
			Delayed:  c.counts[inDelayed][i],
			Running:  c.counts[inRunning][i],
			Parked:   c.counts[inParked][i],
		}
	}
	if c.timed {
		c.measure(&stats, now)
	}
	return stats
}

func (c *core[K]) measure(stats *Stats, now time.Duration) {
	stats.Unfinished = time.Duration(c.running.count)*now - c.started
	if first := c.running.head; first != nil {
		stats.LongestRunning = now - first.since
	}
	if oldest := c.ready.oldest(); oldest != nil {
		stats.OldestReady = now - oldest.since
	}
}
