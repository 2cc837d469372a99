package controller

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/throttle"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A reconcile is one run of a key, and the context of it. Most runs find that there is nothing to do; so it makes its logger
// when somebody asks for that, and a timer when somebody asks when the context ends.
type reconcile[K comparable] struct {
	context.Context // of all runs of the controller

	item    queue.Item[K]
	ids     *ids
	number  uint64    // of ids
	began   time.Time // in real time
	timeout time.Duration
	trial   bool // of the gate
	counts  *counts
	warned  bool // that it is stuck; for who warns

	mu       sync.Mutex
	bounded  context.Context // ends with the run; nil until somebody asks
	cancel   context.CancelFunc
	ended    bool
	expected []func(context.Context) error
}

var (
	_ context.Context  = (*reconcile[int])(nil)
	_ throttle.Counter = (*reconcile[int])(nil)
)

// scopeKey finds the reconcile that a context belongs to.
type scopeKey struct{}

// A scope is what a reconcile knows, whatever its key.
type scope interface {
	expect(seen func(context.Context) error)
	attempt() Attempt
}

func (r *reconcile[K]) Deadline() (time.Time, bool) { return r.bound().Deadline() }
func (r *reconcile[K]) Done() <-chan struct{}       { return r.bound().Done() }
func (r *reconcile[K]) Err() error                  { return r.bound().Err() }

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
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bounded != nil {
		return r.bounded
	}
	return r.Context
}

// bound returns a context that ends with the run, or when its time is over.
func (r *reconcile[K]) bound() context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bounded != nil {
		return r.bounded
	}
	if r.timeout > 0 {
		r.bounded, r.cancel = context.WithDeadlineCause(r.Context, r.began.Add(r.timeout), ErrTimeout)
	} else {
		r.bounded, r.cancel = context.WithCancel(r.Context)
	}
	if r.ended {
		r.cancel()
	}
	return r.bounded
}

// end ends the context. It returns what the run expects to be seen before the next, and whether its context had ended by
// then.
func (r *reconcile[K]) end() (expected []func(context.Context) error, late bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	late = r.bounded != nil && r.bounded.Err() != nil
	r.ended = true
	if r.cancel != nil {
		r.cancel()
	}
	expected = r.expected
	r.expected = nil
	return expected, late
}

// Throttled counts that the API server has asked the run for patience.
func (r *reconcile[K]) Throttled() { r.counts.throttled.Add(1) }

// isStuck says whether the run goes on though its time is over.
func (r *reconcile[K]) isStuck() bool { return r.timeout > 0 && time.Since(r.began) > r.timeout }

func (r *reconcile[K]) expect(seen func(context.Context) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expected = append(r.expected, seen) // what comes after the end is not looked at
}

// logging is what has a logger, which is not made unless there is something to say.
type logging interface{ logger() klog.Logger }

// logger returns the logger of the run.
func (r *reconcile[K]) logger() klog.Logger { return r.describe(klog.FromContext(r.Context)) }

func (r *reconcile[K]) describe(logger klog.Logger) klog.Logger {
	return logger.WithValues("key", r.item.Key, "reconcileID", r.id())
}

func (r *reconcile[K]) id() string { return r.ids.of(r.number) }

// ids numbers the reconciles of a controller. The prefix tells them from those of another process.
type ids struct {
	prefix string
	last   atomic.Uint64
}

func (i *ids) next() uint64 { return i.last.Add(1) }

func (i *ids) of(number uint64) string { return i.prefix + "-" + strconv.FormatUint(number, 10) }

func newPrefix() string { return strconv.FormatUint(uint64(rand.Uint32()), 36) }
