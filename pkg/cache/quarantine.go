package cache

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"
)

// Quarantined says that an object, in its latest version, could not be cached or indexed. It is tried again at its next
// version.
type Quarantined struct {
	Key             types.NamespacedName
	ResourceVersion string
	// Index is the name of the index that does not hold the object. Empty means that the object could not be transformed:
	// then the cache still has the version before, if there was one.
	Index string
	Err   error
}

// quarantine lists the objects that are [Quarantined] now. Its methods may be called concurrently.
type quarantine struct {
	report func(Quarantined) // is told of each new entry

	size atomic.Int64 // of entries, so that the way of good objects takes no lock

	mu      sync.Mutex
	total   int
	entries map[quarantineKey]Quarantined
}

type quarantineKey struct {
	owner any
	key   types.NamespacedName
}

func newQuarantine(report func(Quarantined)) *quarantine {
	return &quarantine{report: report, entries: make(map[quarantineKey]Quarantined)}
}

// add puts an object in. owner is the index, nil for transforms.
func (q *quarantine) add(owner any, entry Quarantined) {
	q.mu.Lock()
	q.total++
	q.entries[quarantineKey{owner, entry.Key}] = entry
	q.size.Store(int64(len(q.entries)))
	q.mu.Unlock()
	if q.report != nil {
		q.report(entry)
	}
}

// remove lets the object out, if it is in.
func (q *quarantine) remove(owner any, key types.NamespacedName) {
	if q.size.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.entries, quarantineKey{owner, key})
	q.size.Store(int64(len(q.entries)))
}

// retain lets out the objects that are not kept.
func (q *quarantine) retain(owner any, keep func(types.NamespacedName) bool) {
	if q.size.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for k := range q.entries {
		if k.owner == owner && !keep(k.key) {
			delete(q.entries, k)
		}
	}
	q.size.Store(int64(len(q.entries)))
}

// unusable returns the keys of the objects that could not be cached.
func (q *quarantine) unusable() map[types.NamespacedName]struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	keys := make(map[types.NamespacedName]struct{})
	for k := range q.entries {
		if k.owner == nil {
			keys[k.key] = struct{}{}
		}
	}
	return keys
}

// count returns how many entries there are and how many there have ever been.
func (q *quarantine) count() (now, total int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.entries), q.total
}

// list returns the entries by index and key.
func (q *quarantine) list() []Quarantined {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := make([]Quarantined, 0, len(q.entries))
	for _, entry := range q.entries {
		list = append(list, entry)
	}
	slices.SortFunc(list, func(a, b Quarantined) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Key.Namespace, b.Key.Namespace),
			cmp.Compare(a.Key.Name, b.Key.Name))
	})
	return list
}
