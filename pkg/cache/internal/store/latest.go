package store

import (
	"sync/atomic"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/persistent"
)

// latest finds the objects of the latest snapshot by their keys: a table that is changed in place, beside the persistent
// one, since that is a long way for the most frequent read.
//
// Each key may be in any of four neighbouring places, which share a line of the processor's cache. Where more keys come
// together one is displaced; the reader that does not find it takes the long way. There is one writer at a time, which
// changes the table before it publishes the snapshot: to a reader of the one before, the record says that it is too new.
//
// A table that has become too small or too large is replaced by another, into which the records come a few at a time.
type latest[K, T comparable] struct {
	places []atomic.Pointer[record[K, T]]
	mask   uint32

	// Until every record is here, the table before has those that are not.
	before atomic.Pointer[latest[K, T]]
	filled int // slots whose records are here for certain; only the writer knows
}

// record says what is with a key since a transaction. It does not change.
type record[K, T comparable] struct {
	key   K
	obj   T
	hash  uint32
	slot  uint32
	since persistent.Owner
}

const (
	fewestPlaces    = 64
	placesPerObject = 4 // when the table is made; at half of that it is made anew, and one key in twenty is displaced
	neighbours      = 4
)

func newLatest[K, T comparable](objects int) *latest[K, T] {
	size := fewestPlaces
	for size < placesPerObject*objects {
		size *= 2
	}
	return &latest[K, T]{places: make([]atomic.Pointer[record[K, T]], size), mask: uint32(size - 1)}
}

// fits says whether there are enough places for so many objects, and not many too many.
func (l *latest[K, T]) fits(objects int) bool {
	return 2*objects <= len(l.places) && len(l.places) <= max(fewestPlaces, 8*placesPerObject*objects)
}

// get returns the record of a key, or nil.
func (l *latest[K, T]) get(hash uint32, key K) *record[K, T] {
	if r := l.here(hash, key); r != nil {
		return r
	}
	if before := l.before.Load(); before != nil {
		return before.here(hash, key)
	}
	return nil
}

func (l *latest[K, T]) here(hash uint32, key K) *record[K, T] {
	for i := range uint32(neighbours) {
		if r := l.places[(hash^i)&l.mask].Load(); r.is(hash, key) {
			return r
		}
	}
	return nil
}

// set puts a record in the place of the one with its key, else in a free one, else in any.
func (l *latest[K, T]) set(r *record[K, T]) {
	if before := l.before.Load(); before != nil {
		before.delete(r.hash, r.key) // before it is outdated
	}
	free := &l.places[r.hash&l.mask]
	for i := range uint32(neighbours) {
		place := &l.places[(r.hash^i)&l.mask]
		old := place.Load()
		if old.is(r.hash, r.key) {
			place.Store(r)
			return
		}
		if old == nil && free.Load() != nil {
			free = place
		}
	}
	free.Store(r)
}

// delete removes the record of a key, if there is one.
func (l *latest[K, T]) delete(hash uint32, key K) {
	if before := l.before.Load(); before != nil {
		before.delete(hash, key)
	}
	for i := range uint32(neighbours) {
		if place := &l.places[(hash^i)&l.mask]; place.Load().is(hash, key) {
			place.Store(nil)
		}
	}
}

// is says whether a record, which may be nil, is that of the key.
func (r *record[K, T]) is(hash uint32, key K) bool {
	return r != nil && r.hash == hash && r.key == key
}
