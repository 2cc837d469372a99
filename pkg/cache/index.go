package cache

import (
	"fmt"
	"iter"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/store"
)

// An Index finds the objects of an [Indexer] by a value computed from them, such as the node of a pod or the UID of an
// owner. Create one with [AddIndex] or [AddPrefixIndex]. Its methods may be called concurrently; each runs on the latest
// snapshot.
//
// The objects of a value that is looked up twice without a change between are remembered for the next times, up to 4096 of
// them: eight bytes for each, until one of them changes.
type Index[T Object, V comparable] struct {
	indexer *Indexer[T]
	index   *store.Index[types.NamespacedName, T, V]
}

// AddIndex adds an index to the indexer, also when it is in use; objects that are there already are indexed at once. The
// name appears in errors.
//
// values returns the values under which an object is found, any number of them. It runs while the indexer is changed: it
// must not change the indexer, nor the object. An object for which it returns an error or panics is missing from this index,
// until its next version, and listed in [Indexer.Quarantined].
func AddIndex[T Object, V comparable](indexer *Indexer[T], name string, values func(T) ([]V, error)) *Index[T, V] {
	return newIndex(indexer, name, indexConfig[T, V]{Values: values})
}

// A PrefixIndex is an [Index] that also finds objects by the beginning of a value. Create one with [AddPrefixIndex].
type PrefixIndex[T Object, V ~string] struct {
	*Index[T, V]
}

// AddPrefixIndex is like [AddIndex]. Keeping the values in order makes a change of the set of values somewhat dearer.
func AddPrefixIndex[T Object, V ~string](indexer *Indexer[T], name string, values func(T) ([]V, error)) PrefixIndex[T, V] {
	return PrefixIndex[T, V]{newIndex(indexer, name, indexConfig[T, V]{
		Values: values,
		Text:   func(v V) string { return string(v) },
	})}
}

type indexConfig[T Object, V comparable] = store.IndexConfig[types.NamespacedName, T, V]

func newIndex[T Object, V comparable](indexer *Indexer[T], name string, config indexConfig[T, V]) *Index[T, V] {
	x := &Index[T, V]{indexer: indexer}
	config.Report = func(key types.NamespacedName, obj T, err error) {
		if err == nil {
			indexer.quarantine.remove(x, key)
			return
		}
		indexer.quarantine.add(x, Quarantined{
			Key: key, ResourceVersion: obj.GetResourceVersion(), Index: name, Err: fmt.Errorf("index %q: %w", name, err),
		})
	}
	x.index = store.AddIndex(indexer.store, config)
	return x
}

// In returns the index as it was in a snapshot of the same indexer; it panics for one of another. For a snapshot from before
// the index was added that means to index all its objects now, at each call.
func (x *Index[T, V]) In(s Snapshot[T]) IndexView[T, V] {
	return IndexView[T, V]{x.index.In(s.snapshot)}
}

// In is like [Index.In].
func (x PrefixIndex[T, V]) In(s Snapshot[T]) PrefixIndexView[T, V] {
	return PrefixIndexView[T, V]{x.Index.In(s)}
}

func (x *Index[T, V]) latest() IndexView[T, V] { return x.In(x.indexer.Snapshot()) }

// Lookup yields the objects that have the value, in no particular order.
func (x *Index[T, V]) Lookup(value V) iter.Seq[T] { return x.index.Lookup(value) }

// Count returns how many objects have the value.
func (x *Index[T, V]) Count(value V) int { return x.latest().Count(value) }

// Values yields each value that an object has, in no particular order.
func (x *Index[T, V]) Values() iter.Seq[V] { return x.latest().Values() }

// Prefix yields the values that begin with prefix, in order, and the objects that have them: an object comes once for each
// of its values.
func (x PrefixIndex[T, V]) Prefix(prefix V) iter.Seq2[V, T] {
	return x.In(x.indexer.Snapshot()).Prefix(prefix)
}

// An IndexView is an [Index] as it was in one [Snapshot].
type IndexView[T Object, V comparable] struct {
	view store.View[types.NamespacedName, T, V]
}

// Lookup is like [Index.Lookup].
func (v IndexView[T, V]) Lookup(value V) iter.Seq[T] { return v.view.Lookup(value) }

// Count is like [Index.Count].
func (v IndexView[T, V]) Count(value V) int { return v.view.Count(value) }

// Values is like [Index.Values].
func (v IndexView[T, V]) Values() iter.Seq[V] { return v.view.Values() }

// A PrefixIndexView is a [PrefixIndex] as it was in one [Snapshot].
type PrefixIndexView[T Object, V ~string] struct {
	IndexView[T, V]
}

// Prefix is like [PrefixIndex.Prefix].
func (v PrefixIndexView[T, V]) Prefix(prefix V) iter.Seq2[V, T] { return v.view.Prefix(string(prefix)) }
