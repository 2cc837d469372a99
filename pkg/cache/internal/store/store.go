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
	seed    maphash.Seed
	owners  atomic.Uint64 // how many there have been
	current atomic.Pointer[Snapshot[K, T]]
	latest  atomic.Pointer[latest[K, T]]

	mu          sync.Mutex // held during a transaction
	transaction Transaction[K, T]
	indexes     []index[K, T]
}

// index is an [Index], whatever the type of its values: the part that the writer sees.
type index[K, T comparable] interface {
	prepare(obj T, isNew bool)
	put(tx *Transaction[K, T], slot uint32, obj T)
	remove(tx *Transaction[K, T], slot uint32)
	move(tx *Transaction[K, T], from, to uint32)
}

// New returns an empty Store. keyOf must always return the same key for an object.
func New[K, T comparable](keyOf func(T) K) *Store[K, T] {
	s := &Store[K, T]{keyOf: keyOf, seed: maphash.MakeSeed()}
	s.current.Store(&Snapshot[K, T]{store: s, base: &content[T]{}})
	s.latest.Store(newLatest[K, T](0))
	return s
}

// Snapshot returns what the last transaction has left. It does not wait for one that is under way.
func (s *Store[K, T]) Snapshot() *Snapshot[K, T] { return s.current.Load() }

// Get returns the object with the key, and whether there is one: that of the latest snapshot, but faster.
func (s *Store[K, T]) Get(key K) (T, bool) {
	snapshot, hash := s.current.Load(), s.hash(key)
	if r := s.latest.Load().get(hash, key); r != nil && r.since <= snapshot.number {
		return r.obj, true
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

func (s *Store[K, T]) hash(key K) uint32 { return uint32(maphash.Comparable(s.seed, key)) }

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
