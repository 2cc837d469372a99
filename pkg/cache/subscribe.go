package cache

import (
	"context"
	"iter"
	"slices"
)

// Subscribe calls handler for every object there is, as an Added event with Initial set, and then for each change. Before
// and while the informer runs subscriptions may come and go at any time; nothing stops for that. The name appears in logs
// and errors. After the informer has stopped, the subscription has ended from the start.
func (i *Informer[T]) Subscribe(name string, handler Handler[T]) *Subscription[T] {
	return i.SubscribeWith(SubscribeOptions{Name: name}, handler)
}

// SubscribeWith is [Informer.Subscribe] with options.
func (i *Informer[T]) SubscribeWith(options SubscribeOptions, handler Handler[T]) *Subscription[T] {
	s := newSubscription(i, options.Name, handler)
	i.subscribe(&s.subscriber, options)
	return s
}

// SubscribeBatches is [Informer.SubscribeWith] for a loop over [BatchSubscription.Batches] instead of a handler.
func (i *Informer[T]) SubscribeBatches(options SubscribeOptions) *BatchSubscription[T] {
	s := newBatchSubscription(i, options.Name)
	i.subscribe(&s.subscriber, options)
	return s
}

// Batches yields what a nameless [Informer.SubscribeBatches] does, which lasts as long as the loop.
func (i *Informer[T]) Batches(ctx context.Context) iter.Seq[[]Event[T]] {
	return func(yield func([]Event[T]) bool) {
		s := i.SubscribeBatches(SubscribeOptions{})
		defer s.Stop()
		s.Batches(ctx)(yield)
	}
}

// Subscriptions says how those are doing that have not ended, in the order in which they came.
func (i *Informer[T]) Subscriptions() []SubscriptionStatus {
	i.mu.Lock()
	subscriptions := slices.Clone(i.subscriptions)
	i.mu.Unlock()
	list := make([]SubscriptionStatus, len(subscriptions))
	for n, s := range subscriptions {
		list[n] = s.status()
	}
	return list
}

func (i *Informer[T]) subscribe(s *subscriber[T], options SubscribeOptions) {
	i.mu.Lock()
	defer i.mu.Unlock()
	s.feed = i.fanOut.join(options.period(), i.config.Clock.Now())
	i.subscriptions = append(i.subscriptions, s)
	switch i.state {
	case created:
	case running:
		i.startLocked(s)
		i.wakeResync.signal()
	case ended:
		i.unsubscribeLocked(s)
	}
}

func (i *Informer[T]) startLocked(s *subscriber[T]) {
	if s.run != nil {
		ctx := i.ctx
		s.started = true
		i.running.Go(func() { s.run(ctx) })
	}
}

// unsubscribe makes the subscription end, unless it has ended.
func (i *Informer[T]) unsubscribe(s *subscriber[T]) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.unsubscribeLocked(s)
}

func (i *Informer[T]) unsubscribeLocked(s *subscriber[T]) {
	i.subscriptions = slices.DeleteFunc(i.subscriptions, func(other *subscriber[T]) bool { return other == s })
	i.fanOut.leave(s.feed)
	s.end()
	if !s.started {
		s.finish()
	}
}
