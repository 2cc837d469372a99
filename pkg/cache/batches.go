package cache

import (
	"context"
	"iter"
)

// A BatchSubscription hands the events of an [Informer] to a loop, several at a time, until it is stopped or the informer
// stops. Its methods may be called concurrently, but only one loop at a time gets batches.
type BatchSubscription[T Object] struct{ subscriber[T] }

func newBatchSubscription[T Object](informer *Informer[T], name string) *BatchSubscription[T] {
	s := &BatchSubscription[T]{newSubscriber(informer, name)}
	s.status = s.describe
	return s
}

// Pending returns how many events wait for the loop, without those that it is at.
func (s *BatchSubscription[T]) Pending() int { return s.feed.pending() }

func (s *BatchSubscription[T]) describe() SubscriptionStatus {
	return SubscriptionStatus{Name: s.name, Synced: s.HasSynced(), Pending: s.Pending()}
}

// Batches yields what waits, as soon as there is something, until the context is done or the subscription ends. A batch is
// never empty and must not be changed. The loop may take its time: meanwhile the events of an object are merged. A loop that
// was left can be followed by another one, which goes on where it stopped; a subscription that is not wanted any more has to
// be stopped.
//
// The subscription has synced when the loop has come back for more after the last initial event, or was left there. When
// nothing existed at first, it syncs as soon as that is known.
func (s *BatchSubscription[T]) Batches(ctx context.Context) iter.Seq[[]Event[T]] {
	return func(yield func([]Event[T]) bool) {
		for ctx.Err() == nil && !s.ending.Load() {
			portion, ok := s.feed.take()
			if !ok {
				s.wait(ctx)
			} else if !s.hand(portion, yield) {
				return
			}
		}
	}
}

func (s *BatchSubscription[T]) wait(ctx context.Context) {
	select {
	case <-s.feed.wake:
	case <-s.ended:
	case <-ctx.Done():
	}
}

// hand says whether the loop wants more.
func (s *BatchSubscription[T]) hand(p portion[T], yield func([]Event[T]) bool) bool {
	events := p.slice()
	more := len(events) == 0 || yield(events)
	if p.initial {
		close(s.synced)
	}
	return more
}
