package store

import (
	"iter"
	"slices"
	"sync/atomic"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/persistent"
)

// A Snapshot is one version of a [Store]'s content. It never changes and may be held for any time and read concurrently.
type Snapshot[K, T comparable] struct {
	store   *Store[K, T]
	number  persistent.Owner // of the transaction that made it
	version string

	// To put a single object into the base costs some copied nodes. Replacements therefore wait until there are many, or
	// until somebody reads, who then does it, or the store is to settle: no reader has to wait for another, nor for the writer.
	base   *content[T]
	recent []replacement[T] // oldest first
	merged atomic.Pointer[content[T]]
}

// A replacement is an object that has taken the place of another.
type replacement[T comparable] struct {
	slot uint32
	obj  T
}

// content is everything that a snapshot consists of.
type content[T comparable] struct {
	objects     persistent.Vector[T]     // by slot
	keys        persistent.Table[uint32] // slots, by the hash of the key
	directories []any                    // by number of the index; a *directory
}

func (s *Snapshot[K, T]) content() *content[T] {
	if len(s.recent) == 0 {
		return s.base
	}
	if merged := s.merged.Load(); merged != nil {
		return merged
	}
	merged := new(*s.base)
	merged.merge(s.store.newOwner(), s.recent)
	s.merged.CompareAndSwap(nil, merged)
	return s.merged.Load()
}

// merge puts replacements into the content, on behalf of an owner.
func (c *content[T]) merge(owner persistent.Owner, recent []replacement[T]) {
	for _, r := range recent {
		c.objects.Set(owner, int(r.slot), r.obj)
	}
}

// all yields the objects by slot.
func (c *content[T]) all(yield func(T) bool) {
	for slot := 0; slot < c.objects.Len(); {
		chunk := c.objects.Chunk(slot)
		for _, obj := range chunk {
			if !yield(obj) {
				return
			}
		}
		slot += len(chunk)
	}
}

// each yields the objects in the slots until yield returns false, which it returns then.
func (c *content[T]) each(slots *persistent.Bag, yield func(T) bool) bool {
	if few, ok := slots.Few(); ok { // the usual case, without the way through iterators
		for _, slot := range few {
			if !yield(c.objects.At(int(slot))) {
				return false
			}
		}
		return true
	}
	for position := range slots.Len() { // not by Chunks: yield would have to be on the heap
		if !yield(c.objects.At(int(slots.At(position)))) {
			return false
		}
	}
	return true
}

// Get returns the object with the key, and whether there is one.
func (s *Snapshot[K, T]) Get(key K) (T, bool) {
	obj, _, found := s.find(s.store.hash(s.store.text(key)), key)
	return obj, found
}

// find looks for one key, for which the recent replacements need not be merged.
func (s *Snapshot[K, T]) find(hash uint32, key K) (obj T, slot uint32, found bool) {
	if merged := s.merged.Load(); merged != nil {
		return s.store.find(merged, hash, key)
	}
	obj, slot, found = s.store.find(s.base, hash, key)
	if found {
		obj = newest(s.recent, slot, obj)
	}
	return obj, slot, found
}

// newest returns the last object to take the slot, or obj if there is none.
func newest[T comparable](recent []replacement[T], slot uint32, obj T) T {
	for _, r := range slices.Backward(recent) {
		if r.slot == slot {
			return r.obj
		}
	}
	return obj
}

// Len returns the number of objects.
func (s *Snapshot[K, T]) Len() int { return s.base.objects.Len() }

// Version returns the version of the content.
func (s *Snapshot[K, T]) Version() string { return s.version }

// All yields the objects in no particular order.
func (s *Snapshot[K, T]) All() iter.Seq[T] {
	return func(yield func(T) bool) { s.content().all(yield) }
}

// Chunks yields the objects, several at a time. The slices must not be changed.
//
// It is small enough to be inlined, so that a loop over it needs no memory.
func (s *Snapshot[K, T]) Chunks() iter.Seq[[]T] {
	return func(yield func([]T) bool) { s.eachChunk(yield) }
}

func (s *Snapshot[K, T]) eachChunk(yield func([]T) bool) {
	objects := &s.content().objects
	for slot := 0; slot < objects.Len(); {
		chunk := objects.Chunk(slot)
		if !yield(chunk) {
			return
		}
		slot += len(chunk)
	}
}
