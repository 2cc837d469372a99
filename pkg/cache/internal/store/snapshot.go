package store

import (
	"iter"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/persistent"
)

// A Snapshot is one version of a [Store]'s content. It never changes and may be held for any time and read concurrently.
type Snapshot[K, T comparable] struct {
	store       *Store[K, T]
	objects     persistent.Vector[T]     // by slot
	keys        persistent.Table[uint32] // slots, by the hash of the key
	directories []any                    // by number of the index; a *directory
	version     string
}

// Get returns the object with the key, and whether there is one.
func (s *Snapshot[K, T]) Get(key K) (T, bool) {
	obj, _, found := s.find(s.store.hash(key), key)
	return obj, found
}

func (s *Snapshot[K, T]) find(hash uint32, key K) (obj T, slot uint32, found bool) {
	for _, entry := range s.keys.Bucket(hash) {
		if entry.Hash == hash {
			if obj := s.objects.At(int(entry.Item)); s.store.keyOf(obj) == key {
				return obj, entry.Item, true
			}
		}
	}
	return obj, 0, false
}

// Len returns the number of objects.
func (s *Snapshot[K, T]) Len() int { return s.objects.Len() }

// Version returns the version of the content.
func (s *Snapshot[K, T]) Version() string { return s.version }

// All yields the objects in no particular order.
func (s *Snapshot[K, T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for chunk := range s.objects.Chunks() {
			for _, obj := range chunk {
				if !yield(obj) {
					return
				}
			}
		}
	}
}

// Chunks yields the objects, several at a time. The slices must not be changed.
func (s *Snapshot[K, T]) Chunks() iter.Seq[[]T] { return s.objects.Chunks() }
