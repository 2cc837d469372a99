package controller

import "sync/atomic"

// Status says what a [Controller] has done since it started.
type Status struct {
	Reconciles int // ended, in whatever way
	Failures   int // of these, the ones to be retried, panics included
	Panics     int // of these, the panics
	Ready      int // keys that wait for a worker now
}

// Status returns what the controller has done so far.
func (c *Controller[K]) Status() Status {
	return Status{
		Reconciles: int(c.counts.reconciles.Load()),
		Failures:   int(c.counts.failures.Load()),
		Panics:     int(c.counts.panics.Load()),
		Ready:      c.queue.Len(),
	}
}

type counts struct{ reconciles, failures, panics atomic.Int64 }

func (c *counts) add(failed, panicked bool) {
	c.reconciles.Add(1)
	if failed {
		c.failures.Add(1)
	}
	if panicked {
		c.panics.Add(1)
	}
}
