package store

import (
	"iter"
	"strings"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/persistent"
)

// A View is an [Index] as it is in one [Snapshot]. It may be held for any time and used concurrently.
type View[K, T, V comparable] struct {
	index     *Index[K, T, V]
	number    persistent.Owner // of the snapshot
	content   *content[T]
	directory *directory[T, V]
}

// Lookup yields the objects that have the value, in no particular order.
//
// It is small enough to be inlined, so that a loop over it needs no memory.
func (w View[K, T, V]) Lookup(v V) iter.Seq[T] {
	return func(yield func(T) bool) { w.each(v, yield) }
}

func (w View[K, T, V]) each(v V, yield func(T) bool) {
	if p := w.find(v); p != nil {
		w.eachOf(p, yield)
	}
}

// eachOf yields the objects of a posting until yield returns false, which it returns then.
func (w View[K, T, V]) eachOf(p *posting[T, V], yield func(T) bool) bool {
	objects, isTime := p.value.members.in(w.number)
	if isTime && p.slots.Len() <= mostGathered {
		objects = w.gather(p)
	}
	if objects == nil {
		return w.content.each(&p.slots, yield)
	}
	for _, obj := range objects {
		if !yield(obj) {
			return false
		}
	}
	return true
}

// gather returns the objects of a posting and keeps them for other readers.
func (w View[K, T, V]) gather(p *posting[T, V]) []T {
	objects := make([]T, 0, p.slots.Len())
	w.content.each(&p.slots, func(obj T) bool {
		objects = append(objects, obj)
		return true
	})
	p.value.members.keep(w.number, objects)
	return objects
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
		for entry := range w.directory.postings.All() {
			if !yield(entry.Item.value.v) {
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
			if !w.eachOf(w.directory.of(value), func(obj T) bool { return yield(value.v, obj) }) {
				return
			}
		}
	}
}

func (w View[K, T, V]) find(v V) *posting[T, V] { return w.directory.find(w.index.hash(v), v) }
