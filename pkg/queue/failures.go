package queue

import (
	"sync"
	"time"
)

// byFailures is a limiter whose wait depends on the failures in a row and on nothing else.
type byFailures[K comparable] struct {
	*failures[K]
	wait func(failures int) time.Duration
}

func (l byFailures[K]) When(key K) time.Duration {
	return l.wait(l.count(key))
}

func (l byFailures[K]) Wait(_ K, failures int, _ time.Time) time.Duration {
	return l.wait(failures)
}

func (byFailures[K]) Spend(K, time.Time) {}

// failures counts the failures in a row of the keys that failed last. It is safe for concurrent use.
type failures[K comparable] struct {
	mu     sync.Mutex
	counts recent[K, int]
}

func newFailures[K comparable](maxKeys int) *failures[K] {
	return &failures[K]{counts: newRecent[K, int](maxKeys)}
}

// count counts a failure of the key and returns how many it has now.
func (f *failures[K]) count(key K) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.counts.get(key) + 1
	f.counts.put(key, n)
	return n
}

// Forget implements [RateLimiter].
func (f *failures[K]) Forget(key K) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts.remove(key)
}

// NumRequeues implements [RateLimiter].
func (f *failures[K]) NumRequeues(key K) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts.get(key)
}

// A recent is a map that forgets: it holds the half of maxKeys that was put last, at most as many older ones, and no
// more. It has two generations. When the younger is full it becomes the older, whose keys are forgotten unless they
// were put again meanwhile. So each operation takes constant time, with no list of all keys beside the map.
type recent[K comparable, V any] struct {
	young, old map[K]V // share no key
	maxYoung   int
}

// newRecent returns an empty map for at most maxKeys keys, or for 2 if that is less.
func newRecent[K comparable, V any](maxKeys int) recent[K, V] {
	return recent[K, V]{young: make(map[K]V), old: make(map[K]V), maxYoung: max(maxKeys/2, 1)}
}

// get returns the value of the key, or the zero value.
func (r *recent[K, V]) get(key K) V {
	if value, ok := r.young[key]; ok {
		return value
	}
	return r.old[key]
}

// put sets the value of the key and makes it the youngest.
func (r *recent[K, V]) put(key K, value V) {
	if _, ok := r.young[key]; !ok {
		delete(r.old, key)
		r.makeRoom()
	}
	r.young[key] = value
}

// makeRoom begins a new generation if the young one is full.
func (r *recent[K, V]) makeRoom() {
	if len(r.young) < r.maxYoung {
		return
	}
	clear(r.old)
	r.young, r.old = r.old, r.young
}

func (r *recent[K, V]) remove(key K) {
	delete(r.young, key)
	delete(r.old, key)
}
