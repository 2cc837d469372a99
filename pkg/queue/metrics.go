package queue

import "time"

// Metrics is told what happens in a queue. Its methods are called by those who call the queue, and by the queue's timer,
// after the queue's lock was released: they may be slow and may call the queue, and they must be safe for concurrent
// calls, which may come slightly out of order. Package queue/clientgo makes one of client-go's metrics.
type Metrics interface {
	// Added is called when n keys of a priority became ready. A key whose priority is raised while it waits is taken at
	// another than it was added with; [Stats.Classes] tell how many wait at each.
	Added(priority Priority, n int)
	// Taken is called when a key was handed out that was ready for so long.
	Taken(priority Priority, waited time.Duration)
	// Finished is called when a key that was taken is done after so long.
	Finished(priority Priority, took time.Duration)
	// Retried is called when n keys were added by [Queue.AddAfter] or [Queue.AddRateLimited], or failed and wait for
	// their retry.
	Retried(n int)
	// Gauges is called every [GaugeInterval] while the queue holds anything, until [Queue.ShutDown]; once when it is
	// empty again; and once when after ShutDown nothing is ready nor running any more.
	Gauges(Stats)
}

// GaugeInterval is the time from one call of [Metrics.Gauges] to the next.
const GaugeInterval = 500 * time.Millisecond

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

// ClassStats are the keys of one priority. A key that is running and waits for its time counts for both.
type ClassStats struct {
	Priority                        Priority
	Ready, Delayed, Running, Parked int
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

// oldest returns the entry that is ready for longest of those that are next in their lanes, or nil; also nil with an order of the user's, which cannot tell.
func (r *readySet[K]) oldest() *entry[K] {
	var oldest *entry[K]
	for lane := range r.lanes() {
		if oldest == nil || lane.head.since < oldest.since {
			oldest = lane.head
		}
	}
	return oldest
}

// A report is what one call has to tell the metrics when it has released the lock.
type report struct {
	added    [numClasses]int
	retried  int
	taken    bool
	finished bool
	class    class // of the key that was taken or finished: no call does both
	took     time.Duration
}

func (r *report) take(class class, waited time.Duration) {
	r.taken, r.class, r.took = true, class, max(0, waited)
}

func (r *report) finish(class class, took time.Duration) {
	r.finished, r.class, r.took = true, class, max(0, took)
}

func (r *report) tell(metrics Metrics) {
	for i, n := range r.added {
		if n > 0 {
			metrics.Added(class(i).priority(), n)
		}
	}
	if r.retried > 0 {
		metrics.Retried(r.retried)
	}
	switch {
	case r.taken:
		metrics.Taken(r.class.priority(), r.took)
	case r.finished:
		metrics.Finished(r.class.priority(), r.took)
	}
}
