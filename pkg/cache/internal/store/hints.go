package store

import "sync/atomic"

// hints says in which slot the latest snapshot may have a key. It is a table that is changed in place, beside the
// persistent one, so that most reads of the latest snapshot need not walk through that. A hint may be missing, or wrong for
// the reader's snapshot: the reader looks at the object that it finds, and takes the long way if it is another.
//
// Each key has two neighbouring places; a third key displaces one of the two. There is one writer at a time.
type hints struct {
	places []atomic.Uint64 // hash and slot
	mask   uint32
}

// A store that has no more than half as many objects as there are places has few keys without a hint.
const (
	fewestPlaces    = 64
	placesPerObject = 4 // at first
)

func newHints(objects int) *hints {
	size := fewestPlaces
	for size < placesPerObject*objects {
		size *= 2
	}
	return &hints{places: make([]atomic.Uint64, size), mask: uint32(size - 1)}
}

// fits says whether there are enough places for so many objects, and not many too many.
func (h *hints) fits(objects int) bool {
	return 2*objects <= len(h.places) && len(h.places) <= max(fewestPlaces, 8*placesPerObject*objects)
}

// get returns the hints at the two places of a hash, which may be of other hashes.
func (h *hints) get(hash uint32) [2]hint {
	at := hash & h.mask
	return [2]hint{hint(h.places[at].Load()), hint(h.places[at^1].Load())}
}

// set says that a key with the hash is in the slot from now on.
func (h *hints) set(hash, slot uint32) {
	at := hash & h.mask
	for _, place := range [2]uint32{at, at ^ 1} {
		if old := hint(h.places[place].Load()); old == 0 || old.hash() == hash {
			at = place
			break
		}
	}
	h.places[at].Store(uint64(hash)<<32 | uint64(slot))
}

type hint uint64

func (h hint) hash() uint32 { return uint32(h >> 32) }
func (h hint) slot() uint32 { return uint32(h) }
