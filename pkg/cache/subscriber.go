package cache

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// SubscribeOptions are the options of [Informer.SubscribeWith] and [Informer.SubscribeBatches]. The zero value works.
type SubscribeOptions struct {
	// Name names the subscription in logs, errors and [Informer.Subscriptions].
	Name string
	// Resync is how often an Updated event with Resync set comes for every object, whatever has happened; counted from
	// Run, or from the subscription if that is later. Never, if it is not positive; at least MinResync.
	Resync time.Duration
	// MinResync is the least that Resync may be: what is told too often leaves no time for news. Defaults to a second.
	MinResync time.Duration
}

// period returns Resync within its bounds.
func (o SubscribeOptions) period() time.Duration {
	if o.Resync <= 0 {
		return 0
	}
	setDefault(&o.MinResync, time.Second)
	return max(o.Resync, o.MinResync)
}

// SubscriptionStatus says how a subscription to an [Informer] is doing.
type SubscriptionStatus struct {
	Name string
	// Synced says that it has been told everything that existed at first.
	Synced bool
	// Pending is how many events wait to be handed out.
	Pending int
	// Retrying is how many of those wait because the handler has panicked at their objects.
	Retrying int
	// Panics is how often the handler has panicked.
	Panics int
}

// A subscriber is what all subscriptions have in common.
type subscriber[T Object] struct {
	informer *Informer[T]
	name     string
	feed     *feed[T]
	ending   atomic.Bool
	ended    chan struct{}
	synced   chan struct{}
	once     sync.Once // closes ended

	run     func(ctx context.Context) // in a goroutine while the informer runs; it calls finish. Or nil.
	started bool                      // run was started; guarded by the informer
	status  func() SubscriptionStatus
}

func newSubscriber[T Object](informer *Informer[T], name string) subscriber[T] {
	return subscriber[T]{informer: informer, name: name, ended: make(chan struct{}), synced: make(chan struct{})}
}

// Name returns the subscription's name.
func (s *subscriber[T]) Name() string { return s.name }

// HasSynced says whether all initial events have been handled: what existed when the informer, or the subscription if it
// came later, started. An event at which a handler panicked counts.
func (s *subscriber[T]) HasSynced() bool { return isClosed(s.synced) }

// Synced returns a channel that is closed when HasSynced becomes true.
func (s *subscriber[T]) Synced() <-chan struct{} { return s.synced }

// WaitForSync waits until HasSynced is true. Otherwise it returns the context's error, or else [ErrStopped], with the reason
// as far as it is known.
func (s *subscriber[T]) WaitForSync(ctx context.Context) error {
	select {
	case <-s.synced:
	case <-s.ended:
	case <-ctx.Done():
	}
	if s.HasSynced() {
		return nil
	}
	err := ctx.Err()
	if err == nil {
		err = ErrStopped
	}
	return fmt.Errorf("cache: subscription %q to informer %q has not synced: %w",
		s.name, s.informer.config.Name, s.informer.reason(err))
}

// Stop ends the subscription: what is being handled is finished and nothing else follows. It does not wait, so a handler
// itself may call it. Stopping again does nothing.
func (s *subscriber[T]) Stop() { s.informer.unsubscribe(s) }

// Ended returns a channel that is closed when the subscription has ended and its handler, if it has one, has returned.
func (s *subscriber[T]) Ended() <-chan struct{} { return s.ended }

// end makes run return soon.
func (s *subscriber[T]) end() {
	s.ending.Store(true)
	s.feed.wake.signal()
}

func (s *subscriber[T]) finish() { s.once.Do(func() { close(s.ended) }) }
