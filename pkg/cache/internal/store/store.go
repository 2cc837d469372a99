package store

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/persistent"
)

// A Store holds objects of type T, none of them the zero value, by their key. Create one with [New].
//
// Reads go through a [Snapshot]; transactions run one at a time. All methods may be called concurrently.
type Store[K, T comparable] struct {
	keyOf   func(T) K
	split   func(K) (space, name string)
	seed    maphash.Seed
	owners  atomic.Uint64 // how many there have been
	current atomic.Pointer[Snapshot[K, T]]
	latest  atomic.Pointer[latest[T]]

	mu          sync.Mutex // held during a transaction
	transaction Transaction[K, T]
	width       int // bytes that are enough for the text of the keys, if that is not too long
	indexes     []index[K, T]
}

// index is an [Index], whatever the type of its values: the part that the writer sees.
type index[K, T comparable] interface {
	prepare(obj T, isNew bool)
	put(tx *Transaction[K, T], slot uint32, obj T)
	remove(tx *Transaction[K, T], slot uint32)
	move(tx *Transaction[K, T], from, to uint32)
}

// New returns an empty Store. keyOf must always return the same key for an object; split returns the two strings that a key
// consists of.
func New[K, T comparable](keyOf func(T) K, split func(K) (space, name string)) *Store[K, T] {
	s := &Store[K, T]{keyOf: keyOf, split: split, seed: maphash.MakeSeed(), width: narrowest}
	s.current.Store(&Snapshot[K, T]{store: s, base: &content[T]{}})
	s.latest.Store(newLatest(s.textOf, 0, narrowest))
	return s
}

// Snapshot returns what the last transaction has left. It does not wait for one that is under way.
func (s *Store[K, T]) Snapshot() *Snapshot[K, T] { return s.current.Load() }

// Get returns the object with the key, and whether there is one: that of the latest snapshot, but faster.
func (s *Store[K, T]) Get(key K) (T, bool) {
	snapshot := s.current.Load()
	k := s.text(key)
	hash := s.hash(k)
	for l := s.latest.Load(); l != nil; l = l.before.Load() {
		if number, ok := l.number(hash, k); ok {
			c := l.cell(number)
			if obj, there := c.get(l.arePointers); there && c.since.Load() <= uint64(snapshot.number) {
				return obj, true
			}
			break
		}
	}
	obj, _, found := snapshot.find(hash, key)
	return obj, found
}

// Settle does what the first reader of the latest snapshot would have to do, and lets go of the objects that were replaced.
// It says whether there was anything to do.
func (s *Store[K, T]) Settle() bool {
	if len(s.current.Load().recent) == 0 {
		return false
	}
	tx := s.Begin()
	tx.merge()
	tx.Commit()
	return true
}

// Begin begins a transaction, when the one before has ended. The caller must end it by Commit.
func (s *Store[K, T]) Begin() *Transaction[K, T] {
	s.mu.Lock()
	tx := &s.transaction
	tx.begin(s)
	return tx
}

func (s *Store[K, T]) text(key K) text {
	space, name := s.split(key)
	return text{space, name}
}

func (s *Store[K, T]) textOf(obj T) text { return s.text(s.keyOf(obj)) }

// hash tells "a", "b" from "b", "a" and from "", "ab": the factor, 2⁶⁴ divided by the golden ratio, spreads the one
// hash over all bits of the sum.
func (s *Store[K, T]) hash(k text) uint32 {
	const factor = 0x9e3779b97f4a7c15
	return uint32((maphash.String(s.seed, k.space)*factor + maphash.String(s.seed, k.name)) >> 32)
}

func (s *Store[K, T]) newOwner() persistent.Owner { return persistent.Owner(s.owners.Add(1)) }

func (s *Store[K, T]) find(c *content[T], hash uint32, key K) (obj T, slot uint32, found bool) {
	for _, entry := range c.keys.Bucket(hash) {
		if entry.Hash == hash {
			if obj := c.objects.At(int(entry.Item)); s.keyOf(obj) == key {
				return obj, entry.Item, true
			}
		}
	}
	return obj, 0, false
}
