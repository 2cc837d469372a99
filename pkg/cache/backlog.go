package cache

import (
	"iter"

	"k8s.io/apimachinery/pkg/types"
)

// A backlog holds events that wait for one subscriber, merged by key. It does no locking.
//
// Of each key at most two events wait: the deletion of what the subscriber knows and the addition of what came after.
// Memory is therefore bounded by what the subscriber knows plus what exists, however slow it is.
type backlog[T Object] struct {
	keys  *keyed[waiting[T]]
	count int // of events
}

// waiting holds the events of one key, count of them.
type waiting[T Object] struct {
	events [2]Event[T]
	count  int
	told   bool // the subscriber has been called with the first event
}

func newBacklog[T Object]() *backlog[T] { return &backlog[T]{keys: newKeyed[waiting[T]]()} }

// push adds an event, merged with those of its key.
func (b *backlog[T]) push(event Event[T]) {
	w := b.keys.get(event.Key)
	if w == nil {
		b.keys.add(event.Key, waiting[T]{events: [2]Event[T]{event}, count: 1})
		b.count++
		return
	}
	before := w.count
	w.merge(event)
	b.count += w.count - before
	if w.count == 0 {
		b.keys.drop(event.Key)
	}
}

// all yields every event, in order.
func (b *backlog[T]) all() iter.Seq[Event[T]] {
	return func(yield func(Event[T]) bool) {
		for w := range b.keys.all() {
			for _, event := range w.events[:w.count] {
				if !yield(event) {
					return
				}
			}
		}
	}
}

// take removes and returns what waits for a key.
func (b *backlog[T]) take(key types.NamespacedName) waiting[T] {
	w := *b.keys.get(key)
	b.keys.drop(key)
	b.count -= w.count
	return w
}

// merge makes event part of what waits: the subscriber will see the way from what it knows to the latest state, in at
// most two steps.
func (w *waiting[T]) merge(event Event[T]) {
	last := &w.events[w.count-1]
	event.NewEpoch = event.NewEpoch || last.NewEpoch
	switch {
	case event.Type == Added: // after a deletion
		w.events[1], w.count = event, 2
	case event.Type == Updated: // what waits is news, if any of it is
		last.Object, last.Resync, last.NewEpoch = event.Object, last.Resync && event.Resync, event.NewEpoch
	case last.Type == Added && !w.isTold(): // deleted before the subscriber heard of it
		*last = Event[T]{}
		w.count--
	default: // updated, then deleted
		*last = event
	}
}

// isTold says whether the subscriber has been called with the last event.
func (w *waiting[T]) isTold() bool { return w.told && w.count == 1 }
