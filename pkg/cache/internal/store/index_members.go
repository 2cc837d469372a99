package store

import (
	"sync/atomic"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/persistent"
)

// members are the objects that have a value, gathered in one slice: the way by slots is several times as long, and most
// values are looked up more often than their objects change.
//
// The second reader since a change gathers them, if they are not too many, for those who come after. The writer gathers
// nothing: before it publishes a change of any of the objects it notes the change and lets the slice go.
type members[T comparable] struct {
	// changed is twice the number of the last transaction that changed one of the objects, or which ones there are, plus one
	// when a reader has been here since. It is noted before the snapshot of that number is there: a reader that finds it not
	// newer than its own snapshot knows of every change up to that.
	changed  atomic.Uint64
	gathered atomic.Pointer[gathering[T]]
}

// A gathering is the members as they are in a snapshot. It does not change.
type gathering[T comparable] struct {
	number  persistent.Owner // of the snapshot
	objects []T
}

// mostGathered is how many objects are gathered at most: each change of one makes a new slice necessary.
const mostGathered = 4096

// change notes that a transaction changes the members.
func (m *members[T]) change(number persistent.Owner) {
	if m.changed.Load()>>1 != uint64(number) {
		m.changed.Store(uint64(number) << 1)
	}
	if m.gathered.Load() != nil {
		m.gathered.Store(nil)
	}
}

// in returns the members in a snapshot, or nil and whether they should be gathered now.
func (m *members[T]) in(number persistent.Owner) (objects []T, isTime bool) {
	g := m.gathered.Load() // before what comes next, which then has every change up to its snapshot
	changed := m.changed.Load()
	switch {
	case changed>>1 > uint64(number): // the snapshot is an old one
		return nil, false
	case g != nil && uint64(g.number) >= changed>>1:
		return g.objects, false
	case changed&1 == 0:
		m.changed.CompareAndSwap(changed, changed|1)
		return nil, false
	default:
		return nil, true
	}
}

// keep keeps what was gathered in a snapshot, unless it is outdated.
func (m *members[T]) keep(number persistent.Owner, objects []T) {
	g := &gathering[T]{number, objects}
	m.gathered.Store(g)
	if m.changed.Load()>>1 > uint64(number) { // and the writer may not have seen it: nobody would let it go
		m.gathered.CompareAndSwap(g, nil)
	}
}
