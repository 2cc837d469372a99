package cache

import (
	"iter"
	"slices"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/store"
)

// A Snapshot is the content of an [Indexer] at one resource version. It never changes: hold it as long as you like, read it
// from any number of goroutines. Reading takes no lock and holds nobody up. An [Index] reads from it by [Index.In].
type Snapshot[T Object] struct {
	snapshot *store.Snapshot[types.NamespacedName, T]
	indexer  *Indexer[T]
}

// ResourceVersion returns the version of the snapshot: it holds what the server held then. It is empty before the first
// list.
func (s Snapshot[T]) ResourceVersion() string { return s.snapshot.Version() }

// Len returns the number of objects.
func (s Snapshot[T]) Len() int { return s.snapshot.Len() }

// Get returns the object with the key, and whether there is one.
func (s Snapshot[T]) Get(key types.NamespacedName) (T, bool) { return s.snapshot.Get(key) }

// All yields the objects, in no particular order.
func (s Snapshot[T]) All() iter.Seq[T] { return s.snapshot.All() }

// Chunks yields the objects several at a time, which takes a fraction of the time of All when there are many. The slices
// are the cache's own and must not be changed.
func (s Snapshot[T]) Chunks() iter.Seq[[]T] { return s.snapshot.Chunks() }

// List returns the objects in a new slice.
func (s Snapshot[T]) List() []T {
	return slices.AppendSeq(make([]T, 0, s.Len()), s.All())
}

// InNamespace yields the objects of a namespace, in no particular order.
func (s Snapshot[T]) InNamespace(namespace string) iter.Seq[T] {
	return s.indexer.namespaces.In(s).Lookup(namespace)
}

// Select yields those objects whose labels match the selector, all of them if it is nil.
func Select[T Object](objects iter.Seq[T], selector labels.Selector) iter.Seq[T] {
	if selector == nil || selector.Empty() {
		return objects
	}
	return func(yield func(T) bool) {
		for obj := range objects {
			if selector.Matches(labels.Set(obj.GetLabels())) && !yield(obj) {
				return
			}
		}
	}
}
