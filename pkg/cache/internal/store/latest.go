package store

import (
	"sync/atomic"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/persistent"
)

// latest finds the objects of the latest snapshot by their keys: a table that is changed in place, beside the persistent
// one, since that is a long way for the most frequent read.
//
// Each key has two neighbouring places; a third key there displaces one of the two. So a key may be missing, and then the
// reader takes the long way. There is one writer at a time, which changes the table before it publishes the snapshot; a
// record that is newer than the reader's snapshot tells the reader so.
type latest[K, T comparable] struct {
	places []atomic.Pointer[record[K, T]]
	mask   uint32
}

// record says what is with a key since a transaction. It does not change.
type record[K, T comparable] struct {
	key   K
	obj   T
	hash  uint32
	slot  uint32
	since persistent.Owner
}

// With at most half as many objects as places, about one key in ten is displaced.
const (
	fewestPlaces    = 64
	placesPerObject = 4 // at first
)

func newLatest[K, T comparable](objects int) *latest[K, T] {
	size := fewestPlaces
	for size < placesPerObject*objects {
		size *= 2
	}
	return &latest[K, T]{make([]atomic.Pointer[record[K, T]], size), uint32(size - 1)}
}

// fits says whether there are enough places for so many objects, and not many too many.
func (l *latest[K, T]) fits(objects int) bool {
	return 2*objects <= len(l.places) && len(l.places) <= max(fewestPlaces, 8*placesPerObject*objects)
}

// get returns the record of a key, or nil.
func (l *latest[K, T]) get(hash uint32, key K) *record[K, T] {
	at := hash & l.mask
	if r := l.places[at].Load(); r.is(hash, key) {
		return r
	}
	if r := l.places[at^1].Load(); r.is(hash, key) {
		return r
	}
	return nil
}

// set puts a record in the place of the one with its key, else in a free one, else in any.
func (l *latest[K, T]) set(r *record[K, T]) {
	at := r.hash & l.mask
	first, second := l.places[at].Load(), l.places[at^1].Load()
	if second.is(r.hash, r.key) || second == nil && first != nil && !first.is(r.hash, r.key) {
		at ^= 1
	}
	l.places[at].Store(r)
}

// delete removes the record of a key, if there is one.
func (l *latest[K, T]) delete(hash uint32, key K) {
	at := hash & l.mask
	if !l.places[at].Load().is(hash, key) {
		at ^= 1
	}
	if l.places[at].Load().is(hash, key) {
		l.places[at].Store(nil)
	}
}

// is says whether a record, which may be nil, is that of the key.
func (r *record[K, T]) is(hash uint32, key K) bool {
	return r != nil && r.hash == hash && r.key == key
}
