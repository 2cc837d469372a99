package store

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/persistent"
)

// A Store holds objects of type T, none of them the zero value, by their key. Create one with [New].
//
// Reads go through a [Snapshot]; transactions run one at a time. All methods may be called concurrently.
type Store[K, T comparable] struct {
	keyOf   func(T) K
	seed    maphash.Seed
	current atomic.Pointer[Snapshot[K, T]]

	mu          sync.Mutex // held during a transaction
	transaction Transaction[K, T]
	indexes     []index[K, T]
}

// index is an [Index], whatever the type of its values: the part that the writer sees.
type index[K, T comparable] interface {
	put(tx *Transaction[K, T], slot uint32, obj T)
	remove(tx *Transaction[K, T], slot uint32)
	move(tx *Transaction[K, T], from, to uint32)
}

// New returns an empty Store. keyOf must always return the same key for an object.
func New[K, T comparable](keyOf func(T) K) *Store[K, T] {
	s := &Store[K, T]{keyOf: keyOf, seed: maphash.MakeSeed()}
	s.current.Store(&Snapshot[K, T]{store: s})
	return s
}

// Snapshot returns what the last transaction has left. It does not wait for one that is under way.
func (s *Store[K, T]) Snapshot() *Snapshot[K, T] { return s.current.Load() }

// Begin begins a transaction, when the one before has ended. The caller must end it by Commit.
func (s *Store[K, T]) Begin() *Transaction[K, T] {
	s.mu.Lock()
	tx := &s.transaction
	tx.store, tx.owner, tx.draft = s, tx.owner+1, *s.current.Load()
	return tx
}

func (s *Store[K, T]) hash(key K) uint32 { return uint32(maphash.Comparable(s.seed, key)) }

// A Transaction is a change of a [Store] that nobody sees before Commit. It is for one goroutine.
type Transaction[K, T comparable] struct {
	store       *Store[K, T]
	owner       persistent.Owner
	draft       Snapshot[K, T]
	directories bool // the draft's list of them is its own
}

// A Place is where a key is in a [Transaction], or would be. The next change makes it invalid.
type Place struct {
	hash  uint32
	slot  uint32
	found bool
}

// Find returns the object with the key, if there is one, and its place.
func (t *Transaction[K, T]) Find(key K) (T, Place) {
	hash := t.store.hash(key)
	obj, slot, found := t.draft.find(hash, key)
	return obj, Place{hash, slot, found}
}

// Exists says whether there is an object.
func (p Place) Exists() bool { return p.found }

// Slot returns the slot of the object, which must exist.
func (p Place) Slot() int { return int(p.slot) }

// Put puts the object in its place, instead of the one that is there.
func (t *Transaction[K, T]) Put(at Place, obj T) {
	slot := at.slot
	if at.found {
		t.draft.objects.Set(t.owner, int(slot), obj)
	} else {
		slot = uint32(t.draft.objects.Len())
		t.draft.objects.Append(t.owner, obj)
		t.draft.keys.Insert(t.owner, at.hash, slot)
	}
	for _, index := range t.store.indexes {
		index.put(t, slot, obj)
	}
}

// Delete removes the object, which must exist. The last object moves into its slot.
func (t *Transaction[K, T]) Delete(at Place) {
	for _, index := range t.store.indexes {
		index.remove(t, at.slot)
	}
	t.draft.keys.Delete(t.owner, at.hash, at.slot)
	if last := uint32(t.draft.objects.Len() - 1); last != at.slot {
		t.move(last, at.slot)
	}
	t.draft.objects.Pop(t.owner)
}

func (t *Transaction[K, T]) move(from, to uint32) {
	obj := t.draft.objects.At(int(from))
	t.draft.objects.Set(t.owner, int(to), obj)
	t.draft.keys.Replace(t.owner, t.store.hash(t.store.keyOf(obj)), from, to)
	for _, index := range t.store.indexes {
		index.move(t, from, to)
	}
}

// Len returns the number of objects.
func (t *Transaction[K, T]) Len() int { return t.draft.Len() }

// At returns the object in a slot, which must be less than Len.
func (t *Transaction[K, T]) At(slot int) T { return t.draft.objects.At(slot) }

// PlaceOf returns the place of the object in a slot.
func (t *Transaction[K, T]) PlaceOf(slot int) Place {
	return Place{t.store.hash(t.store.keyOf(t.At(slot))), uint32(slot), true}
}

// Version returns the version of the content.
func (t *Transaction[K, T]) Version() string { return t.draft.version }

// SetVersion sets the version of the content.
func (t *Transaction[K, T]) SetVersion(version string) { t.draft.version = version }

// Commit publishes the changes and ends the transaction.
func (t *Transaction[K, T]) Commit() {
	published := t.draft
	t.draft, t.directories = Snapshot[K, T]{}, false
	t.store.current.Store(&published)
	t.store.mu.Unlock()
}

// directory returns the part of the draft in which the index with the number is, for it to change.
func (t *Transaction[K, T]) editDirectories() []any {
	if !t.directories {
		t.draft.directories = slices.Clone(t.draft.directories)
		t.directories = true
	}
	return t.draft.directories
}
