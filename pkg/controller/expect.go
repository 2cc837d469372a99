package controller

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"
)

// A View is what a controller reads: a [cache.Indexer].
type View[T any] interface {
	WaitForObject(ctx context.Context, written T) error
	WaitForDeletion(ctx context.Context, deleted T) error
}

// Wrote tells that the reconcile that ctx belongs to has written an object, and has got it back from the API server. The
// next reconcile of the same key waits until the view has it, see [Config.SettleTimeout]. Package write calls it; who writes
// in other ways should. Outside of a reconcile it does nothing.
func Wrote[T any](ctx context.Context, view View[T], written T) {
	Expect(ctx, func(ctx context.Context) error { return view.WaitForObject(ctx, written) })
}

// Deleted is [Wrote] for an object that the reconcile has deleted, as it was known.
func Deleted[T any](ctx context.Context, view View[T], deleted T) {
	Expect(ctx, func(ctx context.Context) error { return view.WaitForDeletion(ctx, deleted) })
}

// Expect is [Wrote] for what is no API object: the next reconcile of the key waits until seen has returned. The context of
// seen ends when it has taken too long, or the controller is stopped.
func Expect(ctx context.Context, seen func(ctx context.Context) error) {
	if run, ok := ctx.Value(scopeKey{}).(scope); ok {
		run.expect(seen)
	}
}

// settling keeps keys from being handed out again before the caches have what was written. They are in the queue as running
// meanwhile, so that what happens to them is merged, but need no worker.
type settling struct {
	timeout time.Duration
	over    context.Context // nothing is waited for any more
	cancel  context.CancelFunc
	now     context.Context // is done: to ask without waiting
	group   sync.WaitGroup
	counts  *counts
}

func newSettling(timeout time.Duration, counts *counts) *settling {
	over, cancel := context.WithCancel(context.Background())
	now, done := context.WithCancel(context.Background())
	done()
	return &settling{timeout: timeout, over: over, cancel: cancel, now: now, counts: counts}
}

// stop ends all waits, and waits for their ends.
func (s *settling) stop() {
	s.cancel()
	s.group.Wait()
}

// then calls finish when everything that is expected has been seen, or has been waited for in vain.
func (s *settling) then(run logging, expected []func(context.Context) error, finish func()) {
	for len(expected) > 0 && ask(s.now, expected[0]) == nil {
		expected = expected[1:]
	}
	if len(expected) == 0 || s.timeout <= 0 {
		finish()
		return
	}
	s.counts.settling.Add(1)
	s.group.Go(func() {
		defer finish()
		defer s.counts.settling.Add(-1)
		s.wait(run, expected)
	})
}

func (s *settling) wait(run logging, expected []func(context.Context) error) {
	ctx, cancel := context.WithTimeout(s.over, s.timeout)
	defer cancel()
	var missed []error
	for _, seen := range expected {
		if err := ask(ctx, seen); err != nil {
			missed = append(missed, err)
		}
	}
	if len(missed) > 0 && s.over.Err() == nil {
		s.counts.unsettled.Add(1)
		run.logger().Info("Own writes not seen in the cache, going on", "err", errors.Join(missed...))
	}
}

// ask waits for what is expected. A panic is an error.
func ask(ctx context.Context, seen func(context.Context) error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return seen(ctx)
}
