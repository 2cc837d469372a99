package cache

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// A Handler takes the events of a [Subscription], one at a time. The context is that of [Informer.Run].
//
// A handler that panics affects nobody else. The panic is logged and counted, the next event follows, and the handler gets
// the event again, merged with what has happened to the object since: at the object's next event or after a second, then
// two, and so on up to a minute.
type Handler[T Object] func(ctx context.Context, event Event[T])

// Enqueue returns a handler that adds the key of each event to a queue.
func Enqueue[T Object](queue interface {
	Add(key types.NamespacedName)
}) Handler[T] {
	return func(_ context.Context, event Event[T]) { queue.Add(event.Key) }
}

// SubscribeOptions are the options of [Informer.SubscribeWith]. The zero value works.
type SubscribeOptions struct {
	// Name names the subscription in logs and errors.
	Name string
	// Resync is how often the handler gets an Updated event with Resync set for every object, whatever has happened.
	// Never, if it is not positive.
	Resync time.Duration
}

// A Subscription hands the events of an [Informer] to one handler until it is closed or the informer stops. Its methods
// may be called concurrently.
type Subscription[T Object] struct {
	informer *Informer[T]
	name     string
	handler  Handler[T]
	feed     *feed[T]
	clock    clock.Clock
	ending   atomic.Bool
	ended    chan struct{} // closed when the handler will not be called again
	synced   chan struct{} // closed when the handler has seen all initial events
	panics   atomic.Int64
	inHand   atomic.Int64 // events taken from the feed and not yet handed out
	waiting  atomic.Int64 // events that wait for another try

	// Only run uses these.
	failed *backlog[T] // what the handler has panicked at
	delay  time.Duration
	retry  clock.Timer // nil while nothing has failed

	once sync.Once // closes ended
}

const (
	minRetryDelay = time.Second
	maxRetryDelay = time.Minute
)

func newSubscription[T Object](informer *Informer[T], name string, handler Handler[T], feed *feed[T]) *Subscription[T] {
	return &Subscription[T]{
		informer: informer,
		name:     name,
		handler:  handler,
		feed:     feed,
		clock:    informer.config.Clock,
		ended:    make(chan struct{}),
		synced:   make(chan struct{}),
		failed:   newBacklog[T](),
		delay:    minRetryDelay,
	}
}

// Name returns the subscription's name.
func (s *Subscription[T]) Name() string { return s.name }

// HasSynced says whether the handler has returned from all initial events: what existed when the informer, or the
// subscription if it came later, started. An event at which the handler panicked counts.
func (s *Subscription[T]) HasSynced() bool { return isClosed(s.synced) }

// Synced returns a channel that is closed when HasSynced becomes true.
func (s *Subscription[T]) Synced() <-chan struct{} { return s.synced }

// WaitForSync waits until HasSynced is true. Otherwise it returns the context's error with the reason, as far as
// it is known, or [ErrStopped].
func (s *Subscription[T]) WaitForSync(ctx context.Context) error {
	select {
	case <-s.synced:
	case <-s.ended:
	case <-ctx.Done():
	}
	switch {
	case s.HasSynced():
		return nil
	case isClosed(s.ended):
		return fmt.Errorf("cache: subscription %q to informer %q: %w", s.name, s.informer.config.Name, ErrStopped)
	default:
		return fmt.Errorf("cache: subscription %q to informer %q has not synced: %w",
			s.name, s.informer.config.Name, s.informer.reason(ctx.Err()))
	}
}

// Stop ends the subscription: the handler finishes the event that it is at and gets no other. It does not wait, so the
// handler itself may call it. Stopping again does nothing.
func (s *Subscription[T]) Stop() { s.informer.unsubscribe(s) }

// Close stops the subscription and waits until its handler has returned, so the handler itself must not call it.
func (s *Subscription[T]) Close() {
	s.Stop()
	<-s.ended
}

// Ended returns a channel that is closed when the handler has returned for the last time.
func (s *Subscription[T]) Ended() <-chan struct{} { return s.ended }

// Pending returns how many events wait for the handler, without the one that it is at.
func (s *Subscription[T]) Pending() int {
	return s.feed.pending() + int(s.inHand.Load()+s.waiting.Load())
}

// Panics returns how often the handler has panicked.
func (s *Subscription[T]) Panics() int { return int(s.panics.Load()) }

// end makes run return soon.
func (s *Subscription[T]) end() {
	s.ending.Store(true)
	s.feed.wake.signal()
}

// run hands out events until the context is done or the subscription ends.
func (s *Subscription[T]) run(ctx context.Context) {
	defer s.finish()
	defer context.AfterFunc(ctx, s.end)()
	for !s.ending.Load() {
		portion, ok := s.feed.take()
		if !ok {
			s.wait(ctx)
			continue
		}
		s.hand(ctx, portion)
		if portion.initial && !s.ending.Load() {
			close(s.synced)
		}
	}
}

func (s *Subscription[T]) finish() {
	s.once.Do(func() { close(s.ended) })
}

// wait returns when something may be there.
func (s *Subscription[T]) wait(ctx context.Context) {
	var due <-chan time.Time
	if s.retry != nil {
		due = s.retry.C()
	}
	select {
	case <-s.feed.wake:
	case <-due:
		s.retryAll(ctx)
	}
}

func (s *Subscription[T]) hand(ctx context.Context, p portion[T]) {
	s.inHand.Store(int64(p.len()))
	for event := range p.all() {
		if s.ending.Load() {
			return
		}
		s.inHand.Add(-1)
		if s.failed.count > 0 && s.failed.keys.get(event.Key) != nil {
			s.failed.push(event)
			s.retryKey(ctx, event.Key)
		} else {
			s.try(ctx, event)
		}
	}
}

// try calls the handler and, if that panics, keeps the event.
func (s *Subscription[T]) try(ctx context.Context, event Event[T]) bool {
	if s.call(ctx, event) {
		return true
	}
	s.failed.push(event)
	s.failed.keys.get(event.Key).told = true
	s.schedule()
	return false
}

// retryKey hands out again what is kept of a key.
func (s *Subscription[T]) retryKey(ctx context.Context, key types.NamespacedName) {
	w := s.failed.take(key)
	failed := false
	for _, event := range w.events[:w.count] {
		if failed {
			s.failed.push(event)
		} else {
			failed = !s.try(ctx, event)
		}
	}
	s.schedule()
}

// retryAll hands out everything that is kept again.
func (s *Subscription[T]) retryAll(ctx context.Context) {
	s.retry = nil
	s.delay = min(2*s.delay, maxRetryDelay)
	var keys []types.NamespacedName
	for w := range s.failed.keys.all() {
		keys = append(keys, w.events[0].Key)
	}
	for _, key := range keys {
		if s.ending.Load() {
			return
		}
		s.retryKey(ctx, key)
	}
}

// schedule makes sure that what is kept is tried again.
func (s *Subscription[T]) schedule() {
	s.waiting.Store(int64(s.failed.count))
	switch {
	case s.failed.count == 0:
		s.delay = minRetryDelay
		if s.retry != nil {
			s.retry.Stop()
			s.retry = nil
		}
	case s.retry == nil:
		s.retry = s.clock.NewTimer(s.delay)
	}
}

// call calls the handler and says whether it returned.
func (s *Subscription[T]) call(ctx context.Context, event Event[T]) (ok bool) {
	defer func() {
		if ok {
			return
		}
		cause := recover()
		s.panics.Add(1)
		klog.FromContext(ctx).Error(nil, "Handler panicked", "subscription", s.name, "event", event.Type.String(),
			"key", event.Key, "panic", cause, "stack", string(debug.Stack()))
	}()
	s.handler(ctx, event)
	return true
}
