package lease

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A Fence knows whether this process may write. It is open from when its [Elector] has got the lease until that is lost or given
// up, and closed for good then. Besides it looks at the clock each time, so that it is closed after [Config.RenewDeadline]
// without renewal even if nothing else of the process has run. Its methods may be called concurrently.
type Fence struct {
	name    string
	limit   time.Duration // without renewal
	now     func() instant
	refused atomic.Int64

	mu      sync.Mutex
	closed  error           // why it is closed; nil while it is open
	held    context.Context // ends when it is closed again; nil before it was open
	end     context.CancelCauseFunc
	last    instant // that was read
	sent    instant // before the last request was sent that acquired or renewed the lease
	leaving int     // admitted requests that are being sent
	left    chan struct{}
}

func newFence(config Config, now func() instant) *Fence {
	return &Fence{name: config.Name, limit: config.RenewDeadline, now: now, closed: errNotStarted, last: now()}
}

// Allowed returns nil while this process may write. Else it returns an error that wraps [ErrNotLeader] and says why not.
func (f *Fence) Allowed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.allowedLocked()
}

func (f *Fence) allowedLocked() error {
	if f.closed != nil {
		return fmt.Errorf("%w: lease %q: %w", ErrNotLeader, f.name, f.closed)
	}
	if since := f.readLocked().since(f.sent); since >= f.limit {
		return fmt.Errorf("%w: lease %q: not renewed for %v", ErrNotLeader, f.name, since.Round(time.Millisecond))
	}
	return nil
}

// read returns what the clocks show.
func (f *Fence) read() instant {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.readLocked()
}

func (f *Fence) readLocked() instant {
	f.last = f.now().after(f.last)
	return f.last
}

// Refused returns how many writes were refused or broken off.
func (f *Fence) Refused() int { return int(f.refused.Load()) }

// open lets writes through: the lease was acquired by a request sent then. It returns a context that ends when the fence is
// closed, with what it was closed for as the cause.
func (f *Fence) open(sent instant) context.Context {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held, f.end = context.WithCancelCause(context.Background())
	f.closed, f.sent = nil, sent
	return f.held
}

// renew counts the time anew from when a request was sent that renewed the lease.
func (f *Fence) renew(sent instant) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = sent
}

// close lets nothing through any more, and breaks off what is being sent. It returns false, and changes nothing, if the fence is not
// open.
func (f *Fence) close(reason error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed != nil {
		return false
	}
	f.closed = reason
	f.end(reason)
	return true
}

// explain says why a fence is closed that has not been open yet.
func (f *Fence) explain(reason error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held == nil {
		f.closed = reason
	}
}

// own is the key of the contexts of a fence's own elector.
type own struct{ fence *Fence }

// own returns a context whose requests the fence lets through: those of its elector.
func (f *Fence) own(ctx context.Context) context.Context { return context.WithValue(ctx, own{f}, true) }

func (f *Fence) passes(ctx context.Context) bool { return ctx.Value(own{f}) != nil }

func (f *Fence) renewed() instant {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent
}

// remaining returns how long the fence would stay open without renewal.
func (f *Fence) remaining() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.limit - f.readLocked().since(f.sent)
}

// admit counts a request that may be sent; depart must follow. The context ends when it must no longer be sent.
func (f *Fence) admit() (context.Context, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.allowedLocked(); err != nil {
		f.refused.Add(1)
		return nil, err
	}
	f.leaving++
	return f.held, nil
}

func (f *Fence) depart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leaving--
	if f.leaving == 0 && f.left != nil {
		close(f.left)
		f.left = nil
	}
}

// drain waits until nothing is being sent any more. The fence must be closed.
func (f *Fence) drain(ctx context.Context) error {
	f.mu.Lock()
	left := make(chan struct{})
	if f.leaving == 0 {
		close(left)
	} else {
		f.left = left
	}
	f.mu.Unlock()
	select {
	case <-left:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("writes are still being sent: %w", ctx.Err())
	}
}
