package cache

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"k8s.io/klog/v2"
)

// A Handler takes the events of a [Subscription], one at a time. The context is that of [Informer.Run]. A handler that
// panics misses that event: the panic is logged and counted, and the next event follows.
type Handler[T Object] func(ctx context.Context, event Event[T])

// A Subscription hands the events of an [Informer] to one handler until it is closed or the informer stops. Its methods
// may be called concurrently.
type Subscription[T Object] struct {
	informer *Informer[T]
	name     string
	handler  Handler[T]
	wake     token         // is there while something may wait
	closing  chan struct{} // closed by Close
	ended    chan struct{} // closed when the handler will not be called again
	synced   chan struct{} // closed when the handler has seen all initial events
	panics   atomic.Int64
	inHand   atomic.Int64 // events taken from the backlog and not yet handed out

	spare backlog[T] // empty, for the next take; only run uses it

	mu      sync.Mutex
	backlog backlog[T]
	primed  bool // all initial events are in the backlog
}

func newSubscription[T Object](informer *Informer[T], name string, handler Handler[T]) *Subscription[T] {
	return &Subscription[T]{
		informer: informer,
		name:     name,
		handler:  handler,
		wake:     newToken(),
		closing:  make(chan struct{}),
		ended:    make(chan struct{}),
		synced:   make(chan struct{}),
		spare:    newBacklog[T](),
		backlog:  newBacklog[T](),
	}
}

// WaitForSync waits until the handler has returned from all initial events: what existed when the informer, or the
// subscription if it came later, started. Otherwise it returns the context's error with the reason, as far as
// it is known, or [ErrStopped].
func (s *Subscription[T]) WaitForSync(ctx context.Context) error {
	select {
	case <-s.synced:
	case <-s.ended:
	case <-ctx.Done():
	}
	switch {
	case isClosed(s.synced):
		return nil
	case isClosed(s.ended):
		return fmt.Errorf("cache: subscription %q to informer %q: %w", s.name, s.informer.config.Name, ErrStopped)
	default:
		return fmt.Errorf("cache: subscription %q to informer %q has not synced: %w",
			s.name, s.informer.config.Name, s.informer.reason(ctx.Err()))
	}
}

// Close ends the subscription and waits until its handler has returned, so the handler itself must not call it. What
// still waits is dropped. Closing again does nothing.
func (s *Subscription[T]) Close() {
	s.informer.unsubscribe(s)
	<-s.ended
}

// Pending returns how many events wait for the handler, without the one that it is at.
func (s *Subscription[T]) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.backlog.count + int(s.inHand.Load())
}

// Panics returns how many events the handler has missed by panicking.
func (s *Subscription[T]) Panics() int { return int(s.panics.Load()) }

// push adds events to the backlog; primed says that all initial ones are there now.
func (s *Subscription[T]) push(events []Event[T], primed bool) {
	s.mu.Lock()
	for _, event := range events {
		s.backlog.push(event)
	}
	s.primed = s.primed || primed
	s.mu.Unlock()
	s.wake.signal()
}

// run hands out events until the context is done or the subscription is closed.
func (s *Subscription[T]) run(ctx context.Context) {
	defer close(s.ended)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.closing:
			return
		case <-s.wake:
			s.drain(ctx)
		}
	}
}

// drain hands out everything that waits.
func (s *Subscription[T]) drain(ctx context.Context) {
	taken, primed := s.take()
	for event := range taken.all() {
		if s.isEnding(ctx) {
			return
		}
		s.inHand.Add(-1)
		s.handle(ctx, event)
	}
	if primed {
		close(s.synced)
	}
	taken.reset()
	s.spare = taken
}

// take empties the backlog. primed is true once: when the last initial events are in what it returns.
func (s *Subscription[T]) take() (taken backlog[T], primed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken, primed = s.backlog, s.primed
	s.backlog, s.primed = s.spare, false
	s.inHand.Store(int64(taken.count))
	return taken, primed
}

func (s *Subscription[T]) isEnding(ctx context.Context) bool {
	return ctx.Err() != nil || isClosed(s.closing)
}

// handle calls the handler, whatever it does.
func (s *Subscription[T]) handle(ctx context.Context, event Event[T]) {
	defer func() {
		if cause := recover(); cause != nil {
			s.panics.Add(1)
			klog.FromContext(ctx).Error(nil, "Handler panicked", "subscription", s.name, "event", event.Type,
				"key", event.Key, "panic", cause, "stack", string(debug.Stack()))
		}
	}()
	s.handler(ctx, event)
}
