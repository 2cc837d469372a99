package cache

import (
	"iter"
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// A backlog holds the events that wait for one subscriber, merged by key. It does no locking.
//
// Of each key at most two events wait: the deletion of what the subscriber knows and the addition of what came after.
// Memory is therefore bounded by what the subscriber knows plus what exists, however slow it is.
type backlog[T Object] struct {
	slots []waiting[T] // in the order in which the keys began to wait; an empty one is a hole
	holes int
	count int // of events
	index map[types.NamespacedName]int
}

// waiting holds the events of one key, count of them.
type waiting[T Object] struct {
	events [2]Event[T]
	count  int
}

func newBacklog[T Object]() backlog[T] {
	return backlog[T]{index: make(map[types.NamespacedName]int)}
}

// maxSpare is how many slots an empty backlog keeps for the next events.
const maxSpare = 1024

// reset empties the backlog.
func (b *backlog[T]) reset() {
	if len(b.slots) > maxSpare {
		*b = newBacklog[T]()
		return
	}
	clear(b.slots) // lets the objects go
	clear(b.index)
	b.slots, b.holes, b.count = b.slots[:0], 0, 0
}

// push adds an event, merged with those of its key.
func (b *backlog[T]) push(event Event[T]) {
	i, ok := b.index[event.Key]
	if !ok {
		b.index[event.Key] = len(b.slots)
		b.slots = append(b.slots, waiting[T]{events: [2]Event[T]{event}, count: 1})
		b.count++
		return
	}
	before := b.slots[i].count
	b.slots[i].merge(event)
	b.count += b.slots[i].count - before
	if b.slots[i].count == 0 {
		b.drop(event.Key)
	}
}

// all yields every event, in order.
func (b *backlog[T]) all() iter.Seq[Event[T]] {
	return func(yield func(Event[T]) bool) {
		for i := range b.slots {
			for _, event := range b.slots[i].events[:b.slots[i].count] {
				if !yield(event) {
					return
				}
			}
		}
	}
}

// merge makes event part of what waits: the subscriber will see the way from what it knows to the latest state, in at
// most two steps.
func (w *waiting[T]) merge(event Event[T]) {
	last := &w.events[w.count-1]
	switch {
	case event.Type == Added: // after a deletion
		w.events[1], w.count = event, 2
	case event.Type == Updated:
		last.Object = event.Object
	case last.Type == Added: // deleted before the subscriber heard of it
		*last = Event[T]{}
		w.count--
	default: // updated, then deleted
		*last = event
	}
}

func (b *backlog[T]) drop(key types.NamespacedName) {
	delete(b.index, key)
	b.holes++
	if b.holes <= len(b.slots)/2 {
		return
	}
	b.slots = slices.DeleteFunc(b.slots, func(w waiting[T]) bool { return w.count == 0 })
	b.holes = 0
	for i := range b.slots {
		b.index[b.slots[i].events[0].Key] = i
	}
}
