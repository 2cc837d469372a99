package queue

import (
	"context"
	"fmt"
	"time"
)

// ShutDown makes the queue ignore further adds and drops what is not due yet, and what is parked. Ready keys are still
// handed out, also one that was added before while it was processed; then [Queue.Take] returns [ErrShutDown]. It releases
// those who wait in [Queue.Drain]. Calling it again does nothing.
func (q *Queue[K]) ShutDown() {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	q.core.close(now)
	q.stopTimer()
	q.endDrain()
}

// ShuttingDown says whether the queue ignores adds.
func (q *Queue[K]) ShuttingDown() bool {
	q.mu.Lock()
	defer q.unlock()
	return q.core.shutDown
}

// ShutDownWithDrain is [Queue.Drain] without a context. Workers must go on taking keys and ending what they took, or it
// waits forever; [Queue.ShutDown] ends that.
func (q *Queue[K]) ShutDownWithDrain() {
	_ = q.Drain(context.Background()) // without a context the only error says that ShutDown was called
}

// Drain shuts the queue down as [Queue.ShutDown] does and waits until workers have taken every ready key and ended every
// run. It returns nil when that is so, an error that wraps the context's and says what is left when the context is done
// first, and one that wraps [ErrShutDown] when ShutDown was called meanwhile. The queue stays shut down in any case.
// Several callers may wait.
func (q *Queue[K]) Drain(ctx context.Context) error {
	select {
	case <-q.startDrain():
		return q.undrained(ErrShutDown)
	case <-ctx.Done():
		return q.undrained(ctx.Err())
	}
}

func (q *Queue[K]) startDrain() (ended <-chan struct{}) {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	q.core.close(now)
	q.stopTimer()
	if q.drained == nil {
		q.drained = make(chan struct{})
	}
	return q.drained
}

func (q *Queue[K]) endDrain() {
	if q.drained != nil {
		close(q.drained)
		q.drained = nil
	}
}

// undrained returns an error that says what is left, if anything is.
func (q *Queue[K]) undrained(cause error) error {
	q.mu.Lock()
	defer q.unlock()
	if q.core.unfinished() == 0 {
		return nil
	}
	return fmt.Errorf("queue: drain: %d keys ready, %d running: %w", q.core.ready.len(), q.core.running.count, cause)
}

// close makes the core ignore adds, and drops what waits for its time or for a person.
func (c *core[K]) close(now time.Duration) {
	if c.shutDown {
		return
	}
	c.promote(now)
	c.shutDown = true
	for last := c.delayed.len() - 1; last >= 0; last-- {
		c.cancel(c.delayed.slots[last].entry)
	}
	c.dropParked()
}
