package controller

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A seat is where one worker reconciles one key after the other. It holds what is known of the run that is under way.
type seat[K comparable] struct {
	handOut context.Context // while the worker may take keys
	shared  context.Context // of all runs, which lives on through the grace period
	timeout time.Duration
	ids     *ids
	counts  *counts

	// Changed by the worker alone, between runs.
	item  queue.Item[K]
	taken bool // the item is one that has not run
	trial bool // of the gate

	mu       sync.Mutex
	run      *reconcile[K] // nil while there is none
	began    time.Time     // in real time
	warned   bool          // that it is stuck
	expected []func(context.Context) error
}

func (c *Controller[K]) newSeat(handOut, shared context.Context) *seat[K] {
	s := &seat[K]{handOut: handOut, shared: shared, timeout: c.config.Timeout, ids: &c.ids, counts: &c.counts}
	c.seats.take(s)
	return s
}

// begin begins a run of the key that was taken. The time at which that was is not asked for again if it is a real one.
func (s *seat[K]) begin(realTime bool) *reconcile[K] {
	run := &reconcile[K]{seat: s, key: s.item.Key, number: s.ids.next()}
	began := s.item.TakenAt
	if !realTime {
		began = time.Now()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run, s.began, s.warned = run, began, false
	return run
}

// end ends the run, and its context. It returns what the run expects to be seen before the next, and whether its context had
// ended by then.
func (s *seat[K]) end() (expected []func(context.Context) error, late bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if asked := s.run.asked; asked != nil {
		late = asked.Err() != nil
		asked.cancel()
	}
	expected, s.expected = s.expected, nil
	s.run = nil
	return expected, late
}

// boundsOf returns when a run ends.
func (s *seat[K]) boundsOf(run *reconcile[K]) *bounds {
	b := new(bounds)
	if s.timeout > 0 && s.run == run {
		b.Context, b.cancel = context.WithDeadlineCause(s.shared, s.began.Add(s.timeout), ErrTimeout)
	} else {
		b.Context, b.cancel = context.WithCancel(s.shared)
	}
	if s.run != run { // it has ended
		b.cancel()
	}
	return b
}

// expect notes what is to be seen before the next run of the key. What comes after the end of the run is not looked at.
func (s *seat[K]) expect(run *reconcile[K], seen func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == run {
		s.expected = append(s.expected, seen)
	}
}

// attempt returns what is known of a run, and whether it is under way.
func (s *seat[K]) attempt(run *reconcile[K]) (Attempt, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != run {
		return Attempt{}, false
	}
	return Attempt{ID: run.id(), Number: s.item.Attempt, ReadyAt: s.item.ReadyAt, Triggers: s.item.Triggers}, true
}

// running returns for how long the run is under way, and whether there is one.
func (s *seat[K]) running() (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return 0, false
	}
	return time.Since(s.began), true
}

// isStuck says whether a run goes on though its time is over.
func (s *seat[K]) isStuck(running time.Duration) bool { return s.timeout > 0 && running > s.timeout }

// stuck returns the run if it is stuck, and for how long it is running; once for each.
func (s *seat[K]) stuck() (*reconcile[K], time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	running := time.Since(s.began)
	if s.run == nil || s.warned || !s.isStuck(running) {
		return nil, 0
	}
	s.warned = true
	return s.run, running
}

// Seats are those of the workers that there are.
type seats[K comparable] struct {
	mu    sync.Mutex
	taken []*seat[K]
}

func (s *seats[K]) take(taken *seat[K]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, taken)
}

func (s *seats[K]) leave(left *seat[K]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = slices.DeleteFunc(s.taken, func(other *seat[K]) bool { return other == left })
}

func (s *seats[K]) all() []*seat[K] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

// busy returns how many reconciles are under way.
func (s *seats[K]) busy() (n int) {
	for _, taken := range s.all() {
		if _, ok := taken.running(); ok {
			n++
		}
	}
	return n
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
		for _, taken := range c.seats.all() {
			if run, running := taken.stuck(); run != nil {
				run.logger().Error(nil, "Reconcile goes on though its time is over, and keeps its worker",
					"timeout", c.config.Timeout, "took", running)
			}
		}
	}
}
