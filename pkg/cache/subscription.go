package cache

import (
	"context"
	"runtime/debug"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
)

// A Handler takes the events of a [Subscription], one at a time. The context is that of [Informer.Run].
//
// A handler that panics affects nobody else. The panic is logged and counted, the next event follows, and the handler gets
// the event again, merged with what has happened to the object since: at the object's next event or after a second, then
// two, and so on up to a minute. Each object has a delay of its own, which begins anew when the handler has returned.
//
// A handler that calls [runtime.Goexit], as t.FailNow does, ends its subscription.
type Handler[T Object] func(ctx context.Context, event Event[T])

// Enqueue returns a handler that adds the key of each event to a queue.
func Enqueue[T Object](queue Queue) Handler[T] {
	return func(_ context.Context, event Event[T]) { queue.Add(event.Key) }
}

// A Queue takes keys, as one of package queue does, or one of client-go.
type Queue interface {
	Add(key types.NamespacedName)
}

// A Subscription hands the events of an [Informer] to one handler until it is closed or the informer stops. Its methods
// may be called concurrently.
type Subscription[T Object] struct {
	subscriber[T]
	handler Handler[T]
	panics  atomic.Int64
	inHand  atomic.Int64 // events taken from the feed and not yet handed out
	waiting atomic.Int64 // events that wait for another try
	retries *retries[T]  // only run uses it
}

func newSubscription[T Object](informer *Informer[T], name string, handler Handler[T]) *Subscription[T] {
	s := &Subscription[T]{
		subscriber: newSubscriber(informer, name),
		handler:    handler,
		retries:    newRetries[T](informer.config.Clock),
	}
	s.run, s.status = s.handOut, s.describe
	return s
}

// Close stops the subscription and waits until its handler has returned, so the handler itself must not call it.
func (s *Subscription[T]) Close() {
	s.Stop()
	<-s.ended
}

// Pending returns how many events wait for the handler, without the one that it is at.
func (s *Subscription[T]) Pending() int {
	return s.feed.pending() + int(s.inHand.Load()+s.waiting.Load())
}

// Panics returns how often the handler has panicked.
func (s *Subscription[T]) Panics() int { return int(s.panics.Load()) }

func (s *Subscription[T]) describe() SubscriptionStatus {
	return SubscriptionStatus{
		Name: s.name, Synced: s.HasSynced(), Pending: s.Pending(), Panics: s.Panics(), Retrying: int(s.waiting.Load()),
	}
}

// handOut hands out events until the context is done or the subscription ends.
func (s *Subscription[T]) handOut(ctx context.Context) {
	defer s.finish()
	defer s.Stop() // also when the handler has ended the goroutine
	defer s.retries.stop()
	stop := context.AfterFunc(ctx, s.end)
	defer stop()
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

// wait returns when something may be there.
func (s *Subscription[T]) wait(ctx context.Context) {
	select {
	case <-s.feed.wake:
	case <-s.retries.due():
		s.retryDue(ctx)
	}
}

func (s *Subscription[T]) hand(ctx context.Context, p portion[T]) {
	s.inHand.Store(int64(p.len()))
	for event := range p.all() {
		s.retryIfDue(ctx)
		if s.ending.Load() {
			return
		}
		s.inHand.Add(-1)
		switch {
		case s.retries.has(event.Key):
			s.retries.push(event)
			s.retry(ctx, event.Key)
		case !s.call(ctx, event):
			s.keep(event)
		default:
			continue
		}
		s.retries.arm()
	}
}

// retryIfDue is for a handler that is never without events: what has failed is tried again when its time has come.
func (s *Subscription[T]) retryIfDue(ctx context.Context) {
	due := s.retries.due()
	if due == nil {
		return
	}
	select {
	case <-due:
		s.retryDue(ctx)
	default:
	}
}

// retryDue hands out again what is due by now, when the timer has fired.
func (s *Subscription[T]) retryDue(ctx context.Context) {
	now := s.retries.fired()
	for !s.ending.Load() {
		key, ok := s.retries.next(now)
		if !ok {
			break
		}
		s.retry(ctx, key)
	}
	s.retries.arm()
}

// retry hands out again what is kept of a key.
func (s *Subscription[T]) retry(ctx context.Context, key types.NamespacedName) {
	events := s.retries.take(key)
	for len(events) > 0 && s.call(ctx, events[0]) {
		s.retries.succeed(key)
		events = events[1:]
	}
	s.keep(events...)
}

// keep keeps events of one key for another try.
func (s *Subscription[T]) keep(events ...Event[T]) {
	s.retries.fail(events...)
	s.waiting.Store(int64(s.retries.failed.count))
}

// call calls the handler and says whether it returned.
func (s *Subscription[T]) call(ctx context.Context, event Event[T]) (ok bool) {
	defer func() {
		if ok {
			return
		}
		cause, logger := recover(), klog.FromContext(ctx).WithValues("subscription", s.name, "key", event.Key)
		if cause == nil { // the goroutine goes on to exit
			logger.Error(nil, "Handler has called runtime.Goexit: its subscription ends")
			return
		}
		s.panics.Add(1)
		logger.Error(nil, "Handler panicked", "eventType", event.Type.String(), "panic", cause, "stack", string(debug.Stack()))
	}()
	s.handler(ctx, event)
	return true
}
