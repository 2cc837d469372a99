package cache

import (
	"iter"
	"slices"
)

// A portion is what a subscriber takes from its [feed] at a time: one of its fields, but what is told again may follow a
// backlog.
type portion[T Object] struct {
	existing *Snapshot[T] // as Added events
	behind   *backlog[T]
	again    *Snapshot[T] // as Updated events
	events   []Event[T]

	// initial says that with it, everything that existed at the start has been told.
	initial bool
}

// len returns the number of events.
func (p *portion[T]) len() int {
	n := len(p.events)
	if p.existing != nil {
		n += p.existing.Len()
	}
	if p.behind != nil {
		n += p.behind.count
	}
	if p.again != nil {
		n += p.again.Len()
	}
	return n
}

// all yields the events.
func (p *portion[T]) all() iter.Seq[Event[T]] {
	switch {
	case p.existing != nil:
		return initialEvents(*p.existing)
	case p.behind != nil && p.again != nil:
		return concat(p.behind.all(), resyncEvents(*p.again))
	case p.behind != nil:
		return p.behind.all()
	case p.again != nil:
		return resyncEvents(*p.again)
	default:
		return slices.Values(p.events)
	}
}

// slice returns the events. It must not be changed.
func (p *portion[T]) slice() []Event[T] {
	if p.events != nil {
		return p.events
	}
	return slices.AppendSeq(make([]Event[T], 0, p.len()), p.all())
}

func initialEvents[T Object](s Snapshot[T]) iter.Seq[Event[T]] {
	return func(yield func(Event[T]) bool) {
		for obj := range s.All() {
			if !yield(Event[T]{Type: Added, Key: KeyOf(obj), Object: obj, Initial: true}) {
				return
			}
		}
	}
}

func resyncEvents[T Object](s Snapshot[T]) iter.Seq[Event[T]] {
	return func(yield func(Event[T]) bool) {
		for obj := range s.All() {
			if !yield(Event[T]{Type: Updated, Key: KeyOf(obj), Object: obj, Old: obj, Resync: true}) {
				return
			}
		}
	}
}

func concat[V any](first, second iter.Seq[V]) iter.Seq[V] {
	return func(yield func(V) bool) {
		for v := range first {
			if !yield(v) {
				return
			}
		}
		second(yield)
	}
}
