package store

import (
	"iter"
	"strings"
)

// A View is an [Index] as it is in one [Snapshot]. It may be held for any time and used concurrently.
type View[K, T, V comparable] struct {
	index     *Index[K, T, V]
	snapshot  *Snapshot[K, T]
	directory *directory[V]
}

// Lookup yields the objects that have the value, in no particular order.
func (w View[K, T, V]) Lookup(v V) iter.Seq[T] {
	return func(yield func(T) bool) {
		if p := w.find(v); p != nil {
			w.objects(p, yield)
		}
	}
}

// Count returns how many objects have the value.
func (w View[K, T, V]) Count(v V) int {
	if p := w.find(v); p != nil {
		return p.slots.Len()
	}
	return 0
}

// Values yields the values that any object has, in no particular order.
func (w View[K, T, V]) Values() iter.Seq[V] {
	return func(yield func(V) bool) {
		for p := range w.directory.postings.All() {
			if !yield(p.value.v) {
				return
			}
		}
	}
}

// Prefix yields, in an ordered index, the values whose text begins with prefix, in order, with the objects that have them.
func (w View[K, T, V]) Prefix(prefix string) iter.Seq2[V, T] {
	return func(yield func(V, T) bool) {
		for text, value := range w.directory.order.From(prefix) {
			if !strings.HasPrefix(text, prefix) {
				return
			}
			if !w.objects(w.directory.of(value), func(obj T) bool { return yield(value.v, obj) }) {
				return
			}
		}
	}
}

func (w View[K, T, V]) find(v V) *posting[V] { return w.directory.find(w.index.hash(v), v) }

func (w View[K, T, V]) objects(p *posting[V], yield func(T) bool) bool {
	for chunk := range p.slots.Chunks() {
		for _, slot := range chunk {
			if !yield(w.snapshot.objects.At(int(slot))) {
				return false
			}
		}
	}
	return true
}
