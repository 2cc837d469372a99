package controller

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Seats are where workers show what they are at.
type seats[K comparable] struct {
	mu    sync.Mutex
	taken []*seat[K]
}

// A seat is that of one worker.
type seat[K comparable] struct {
	run atomic.Pointer[reconcile[K]] // nil while there is none
}

func (s *seats[K]) take() *seat[K] {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := new(seat[K])
	s.taken = append(s.taken, taken)
	return taken
}

func (s *seats[K]) leave(left *seat[K]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = slices.DeleteFunc(s.taken, func(other *seat[K]) bool { return other == left })
}

// runs returns the reconciles that are under way.
func (s *seats[K]) runs() (runs []*reconcile[K]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, taken := range s.taken {
		if run := taken.run.Load(); run != nil {
			runs = append(runs, run)
		}
	}
	return runs
}

// warnOfStuck logs each reconcile once that goes on though its time is over, until the context is done.
func (c *Controller[K]) warnOfStuck(ctx context.Context) {
	ticker := time.NewTicker(max(c.config.Timeout/10, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, run := range c.seats.runs() {
			if run.isStuck() && !run.warned {
				run.warned = true
				run.logger().Error(nil, "Reconcile goes on though its time is over, and keeps its worker",
					"timeout", run.timeout, "took", time.Since(run.began))
			}
		}
	}
}
