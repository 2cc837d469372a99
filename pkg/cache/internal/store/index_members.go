package store

import (
	"sync/atomic"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/persistent"
)

// Members are the objects that have a value, gathered in one slice: the way from a value by slots to objects is long
// compared to that, and most values are looked up more often than their objects change.
//
// The reader that comes second since a change gathers them, if they are not too many, for all who come after. The writer
// gathers nothing. It counts a change of any of the objects before it publishes it, and lets the slice go.
type members[T comparable] struct {
	// changed is twice the number of the last transaction that changed an object, or which ones there are; plus one when a
	// reader has been here since.
	changed  atomic.Uint64
	gathered atomic.Pointer[gathering[T]]
}

// A gathering is the members as they are in a snapshot. It does not change.
type gathering[T comparable] struct {
	number  persistent.Owner // of the snapshot
	objects []T
}

// mostGathered is how many objects are gathered at most: the slice is new after each change.
const mostGathered = 4096

// change says that a transaction changes the members.
func (m *members[T]) change(number persistent.Owner) {
	if m.changed.Load()>>1 != uint64(number) {
		m.changed.Store(uint64(number) << 1)
	}
	if m.gathered.Load() != nil {
		m.gathered.Store(nil)
	}
}

// in returns the members in a snapshot, if they are gathered. Otherwise it may say that now is the time for it.
func (m *members[T]) in(number persistent.Owner) (objects []T, isTime bool) {
	g := m.gathered.Load() // first: what changed until its snapshot is also in what comes next
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
	if m.changed.Load()>>1 > uint64(number) { // the writer may have been here before the line above
		m.gathered.CompareAndSwap(g, nil)
	}
}
