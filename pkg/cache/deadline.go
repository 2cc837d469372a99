package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// errSilent is the cause for which a request ends that has brought nothing for too long.
var errSilent = errors.New("the server was silent for too long")

// errBehindElsewhere is the cause for which a watch ends when another namespace has found a new epoch.
var errBehindElsewhere = fmt.Errorf("in another namespace, %w", ErrNewEpoch)

// errDiverged is the cause for which a watch ends when the cache is wrong.
var errDiverged = errors.New("the cache differs from the server")

// A deadline ends a request when it has brought nothing for some time. Bytes alone don't count, so that a stream that
// drips is silent, too.
type deadline struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	clock  clock.Clock
	done   sync.WaitGroup

	interrupted error // by this; to be read after stop

	mu    sync.Mutex
	limit time.Duration
	alive time.Time // when it brought something
}

// newDeadline returns a deadline without a limit. Its ctx is that for the request.
func newDeadline(ctx context.Context, c clock.Clock) *deadline {
	d := &deadline{clock: c}
	d.ctx, d.cancel = context.WithCancelCause(ctx)
	return d
}

// within sets the limit, and counts from now. What interrupts brings ends the request, too; it may be nil.
func (d *deadline) within(limit time.Duration, interrupts <-chan error) {
	d.mu.Lock()
	first := d.limit == 0
	d.limit, d.alive = limit, d.clock.Now()
	d.mu.Unlock()
	if first {
		d.done.Go(func() { d.guard(interrupts) })
	}
}

// touch says that the request has brought something, and returns when.
func (d *deadline) touch() time.Time {
	now := d.clock.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.alive = now
	return now
}

// stop ends the request and waits for the guard.
func (d *deadline) stop() {
	d.cancel(nil)
	d.done.Wait()
}

func (d *deadline) guard(interrupts <-chan error) {
	for {
		left := d.left()
		if left <= 0 {
			d.cancel(errSilent)
			return
		}
		timer := d.clock.NewTimer(left)
		select {
		case <-timer.C():
		case d.interrupted = <-interrupts:
			d.cancel(d.interrupted)
		case <-d.ctx.Done():
		}
		timer.Stop()
		if d.ctx.Err() != nil {
			return
		}
	}
}

func (d *deadline) left() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.limit - d.clock.Since(d.alive)
}
