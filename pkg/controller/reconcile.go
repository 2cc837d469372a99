package controller

import (
	"context"
	"time"

	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/throttle"
)

// A reconcile is the context of one run of a key. It is made for each run, since somebody may keep it for longer; most runs
// find that there is nothing to do, so it is small: what is known of the run while it is under way is in the seat of its
// worker, its logger is made when somebody asks for that, and a timer when somebody asks when the context ends.
type reconcile[K comparable] struct {
	seat   *seat[K]
	key    K
	number uint64  // of ids
	asked  *bounds // nil until somebody asks when the context ends; under the lock of the seat
}

// bounds are when a run ends, or ends at the latest.
type bounds struct {
	context.Context
	cancel context.CancelFunc
}

var (
	_ context.Context  = (*reconcile[int])(nil)
	_ throttle.Counter = (*reconcile[int])(nil)
	_ scope            = (*reconcile[int])(nil)
)

// scopeKey finds the reconcile that a context belongs to.
type scopeKey struct{}

// A scope is what a reconcile knows, whatever its key.
type scope interface {
	expect(seen func(context.Context) error)
	attempt() (Attempt, bool)
}

func (r *reconcile[K]) Deadline() (time.Time, bool) { return r.bounds().Deadline() }
func (r *reconcile[K]) Done() <-chan struct{}       { return r.bounds().Done() }
func (r *reconcile[K]) Err() error                  { return r.bounds().Err() }

// Value returns what the context has, the logger with the run's key.
func (r *reconcile[K]) Value(key any) any {
	if key == (scopeKey{}) || key == (throttle.Key{}) {
		return r
	}
	value := r.inner().Value(key)
	if logger, ok := value.(klog.Logger); ok {
		return r.describe(logger)
	}
	return value
}

// inner returns the context that is in use.
func (r *reconcile[K]) inner() context.Context {
	r.seat.mu.Lock()
	defer r.seat.mu.Unlock()
	if r.asked != nil {
		return r.asked
	}
	return r.seat.shared
}

// bounds returns a context that ends with the run, or when its time is over.
func (r *reconcile[K]) bounds() context.Context {
	r.seat.mu.Lock()
	defer r.seat.mu.Unlock()
	if r.asked == nil {
		r.asked = r.seat.boundsOf(r)
	}
	return r.asked
}

// Throttled counts that the API server has asked the run for patience.
func (r *reconcile[K]) Throttled() { r.seat.counts.throttled.Add(1) }

func (r *reconcile[K]) expect(seen func(context.Context) error) { r.seat.expect(r, seen) }

// logging is what has a logger, which is not made unless there is something to say.
type logging interface{ logger() klog.Logger }

// logger returns the logger of the run.
func (r *reconcile[K]) logger() klog.Logger { return r.describe(klog.FromContext(r.seat.shared)) }

func (r *reconcile[K]) describe(logger klog.Logger) klog.Logger {
	return logger.WithValues("key", r.key, "reconcileID", r.id())
}

func (r *reconcile[K]) id() string { return r.seat.ids.of(r.number) }
