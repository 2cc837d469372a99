package controller

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Status says what a [Controller] has done since it started, and what it is at.
type Status struct {
	Reconciles int // ended, in whatever way
	Failures   int // of these, the ones with an error, panics included
	Panics     int // of these, the panics
	Refused    int // of these, the ones that the API server refused to serve
	Throttled  int // how often it asked for patience, which clients of package client count; they wait and try again

	Ready   int // keys that wait for a worker now
	Delayed int // keys that wait for their time
	Running int // keys that are being reconciled
	Parked  int // keys that wait for something to change

	Stuck          int           // of those that are being reconciled, the ones that go on after [Config.Timeout]; the log has them
	LongestRunning time.Duration // since the first of them began

	Settling  int // keys that wait for the caches to have what was written
	Unsettled int // how often that was waited for in vain

	Workers  int       // now
	Scalings []Scaling // the last changes of that number

	Slowed     error // why no keys are handed out at the moment, nil if they are
	SlowedDown int   // how often that was so
}

// Status returns what the controller has done so far.
func (c *Controller[K]) Status() Status {
	queued := c.queue.Status()
	status := Status{
		Reconciles: int(c.counts.reconciles.Load()),
		Failures:   int(c.counts.failures.Load()),
		Panics:     int(c.counts.panics.Load()),
		Refused:    int(c.counts.refused.Load()),
		Throttled:  int(c.counts.throttled.Load()),
		Ready:      queued.Ready,
		Delayed:    queued.Delayed,
		Parked:     queued.Parked,
		Settling:   int(c.counts.settling.Load()),
		Unsettled:  int(c.counts.unsettled.Load()),
		Workers:    c.config.Workers,
		Scalings:   c.counts.lastScalings(),
	}
	for _, taken := range c.seats.all() {
		running, ok := taken.running()
		if !ok {
			continue
		}
		status.Running++
		status.LongestRunning = max(status.LongestRunning, running)
		if taken.isStuck(running) {
			status.Stuck++
		}
	}
	if last := len(status.Scalings) - 1; last >= 0 {
		status.Workers = status.Scalings[last].Workers
	}
	status.SlowedDown, status.Slowed = c.gate.status()
	return status
}

// Ready returns nil while the controller hands out keys; else why it does not. A [Breaker] that is open does not count: no
// other replica would fare better. See Slowed of [Status].
func (c *Controller[K]) Ready() error {
	switch c.phase.Load() {
	case unstarted:
		return fmt.Errorf("controller %q: does not run yet", c.config.Name)
	case syncing:
		return fmt.Errorf("controller %q: %w", c.config.Name, errors.Join(errNotSynced, c.sources.ready()))
	case reconciling:
		return nil
	default:
		return fmt.Errorf("controller %q: %w", c.config.Name, ErrStopped)
	}
}

type counts struct {
	reconciles, failures, panics, refused atomic.Int64
	throttled, settling, unsettled        atomic.Int64

	mu       sync.Mutex
	scalings []Scaling
}

func (c *counts) scaled(scaling Scaling) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scalings = append(c.scalings, scaling)
	if extra := len(c.scalings) - scalingsKept; extra > 0 {
		c.scalings = slices.Delete(c.scalings, 0, extra)
	}
}

func (c *counts) lastScalings() []Scaling {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.scalings)
}
