package queue

import "time"

// Metrics is told what happens in a queue. Its methods are called by those who call the queue, and by the queue's timer,
// after the queue's lock was released: they may be slow and may call the queue, and they must be safe for concurrent
// calls, which may come slightly out of order. Package queue/clientgo makes one of client-go's metrics.
type Metrics interface {
	// Added is called when n keys of a priority became ready. A key whose priority is raised while it waits is taken at
	// another than it was added with; [Status.Classes] tell how many wait at each.
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
	Gauges(Status)
}

// GaugeInterval is the time from one call of [Metrics.Gauges] to the next.
const GaugeInterval = 500 * time.Millisecond

// A report is what one call has to tell the metrics when it has released the lock.
type report struct {
	added    [numClasses]int
	retried  int
	finished reported
	taken    reported
}

// What is reported of a key that was taken or finished.
type reported struct {
	any   bool // or else the rest says nothing
	class class
	after time.Duration
}

func (r *report) take(class class, waited time.Duration) {
	r.taken = reported{true, class, max(0, waited)}
}

func (r *report) finish(class class, took time.Duration) {
	r.finished = reported{true, class, max(0, took)}
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
	if r.finished.any {
		metrics.Finished(r.finished.class.priority(), r.finished.after)
	}
	if r.taken.any {
		metrics.Taken(r.taken.class.priority(), r.taken.after)
	}
}
