package store

import (
	"slices"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/persistent"
)

// A Transaction is a change of a [Store] that nobody sees before Commit. It is for one goroutine.
type Transaction[K, T comparable] struct {
	store   *Store[K, T]
	owner   persistent.Owner // and the number of the next snapshot
	version string
	draft   content[T]
	base    *content[T]      // what the draft began as,
	edited  bool             // unless this
	recent  []replacement[T] // that are not yet in the draft

	directories bool // the draft's list of them is its own
}

// maxRecent is how many replacements may wait to be put into the content.
const maxRecent = 1024

func (t *Transaction[K, T]) begin(s *Store[K, T]) {
	from := s.current.Load()
	*t = Transaction[K, T]{store: s, owner: s.newOwner(), version: from.version, base: from.base, recent: from.recent}
	if merged := from.merged.Load(); merged != nil { // a reader has done it
		t.base, t.recent = merged, nil
	}
	t.draft = *t.base
}

// Commit publishes the changes and ends the transaction.
func (t *Transaction[K, T]) Commit() {
	s := t.store
	next := &Snapshot[K, T]{store: s, number: t.owner, version: t.version, base: t.base, recent: t.recent}
	if t.edited {
		next.base = new(t.draft)
	}
	*t = Transaction[K, T]{} // lets everything go
	s.current.Store(next)
	s.mu.Unlock()
}

// A Place is where a key is in a [Transaction], or would be. The next change makes it invalid.
type Place struct {
	hash  uint32
	slot  uint32
	found bool
}

// Exists says whether there is an object.
func (p Place) Exists() bool { return p.found }

// Slot returns the slot of the object, which must exist.
func (p Place) Slot() int { return int(p.slot) }

// Find returns the object with the key, if there is one, and its place.
func (t *Transaction[K, T]) Find(key K) (T, Place) {
	hash := t.store.hash(key)
	if r := t.store.latest.Load().get(hash, key); r != nil {
		return r.obj, Place{hash, r.slot, true}
	}
	obj, slot, found := t.store.find(&t.draft, hash, key)
	if found {
		obj = newest(t.recent, slot, obj)
	}
	return obj, Place{hash, slot, found}
}

// Len returns the number of objects.
func (t *Transaction[K, T]) Len() int { return t.draft.objects.Len() }

// At returns the object in a slot, which must be less than Len.
func (t *Transaction[K, T]) At(slot int) T {
	t.merge()
	return t.draft.objects.At(slot)
}

// PlaceOf returns the place of the object in a slot.
func (t *Transaction[K, T]) PlaceOf(slot int) Place {
	return Place{t.store.hash(t.store.keyOf(t.At(slot))), uint32(slot), true}
}

// Put puts the object in its place, instead of the one that is there.
func (t *Transaction[K, T]) Put(at Place, obj T) {
	for _, index := range t.store.indexes { // runs functions of the user's: nothing has changed yet
		index.prepare(obj, !at.found)
	}
	slot := at.slot
	if at.found {
		t.replace(at, obj)
	} else {
		slot = t.insert(at.hash, obj)
	}
	for _, index := range t.store.indexes {
		index.put(t, slot, obj)
	}
	t.refit()
}

func (t *Transaction[K, T]) replace(at Place, obj T) {
	t.note(at.hash, at.slot, obj)
	t.recent = append(t.recent, replacement[T]{at.slot, obj})
	if len(t.recent) >= maxRecent {
		t.merge()
	}
}

func (t *Transaction[K, T]) insert(hash uint32, obj T) (slot uint32) {
	t.edited = true
	slot = uint32(t.Len())
	t.draft.objects.Append(t.owner, obj)
	t.draft.keys.Insert(t.owner, hash, slot)
	t.note(hash, slot, obj)
	return slot
}

// Delete removes the object, which must exist. The last object moves into its slot.
func (t *Transaction[K, T]) Delete(at Place) {
	t.merge()
	t.edited = true
	for _, index := range t.store.indexes {
		index.remove(t, at.slot)
	}
	t.draft.keys.Delete(t.owner, at.hash, at.slot)
	t.store.latest.Load().delete(at.hash, t.store.keyOf(t.At(at.Slot())))
	if last := uint32(t.Len() - 1); last != at.slot {
		t.move(last, at.slot)
	}
	t.draft.objects.Pop(t.owner)
	t.refit()
}

func (t *Transaction[K, T]) move(from, to uint32) {
	obj := t.At(int(from))
	hash := t.store.hash(t.store.keyOf(obj))
	t.draft.objects.Set(t.owner, int(to), obj)
	t.draft.keys.Replace(t.owner, hash, from, to)
	t.note(hash, to, obj)
	for _, index := range t.store.indexes {
		index.move(t, from, to)
	}
}

// note tells those who get from the latest snapshot of an object.
func (t *Transaction[K, T]) note(hash, slot uint32, obj T) {
	t.store.latest.Load().set(&record[K, T]{t.store.keyOf(obj), obj, hash, slot, t.owner})
}

// fillAtOnce is how many records one change brings into a new table. The table is full long before it is too small.
const fillAtOnce = 4

// refit makes another table when that has got out of proportion, and goes on to fill it.
func (t *Transaction[K, T]) refit() {
	l := t.store.latest.Load()
	before := l.before.Load()
	if before == nil {
		if l.fits(t.Len()) {
			return
		}
		before, l = l, newLatest[K, T](t.Len())
		l.before.Store(before)
		t.store.latest.Store(l)
	}
	for range fillAtOnce {
		if l.filled >= t.Len() {
			l.before.Store(nil)
			return
		}
		t.fill(l, uint32(l.filled))
		l.filled++
	}
}

// fill brings the record of a slot into the table, or makes it, if it was displaced.
func (t *Transaction[K, T]) fill(l *latest[K, T], slot uint32) {
	obj := t.draft.objects.At(int(slot))
	key := t.store.keyOf(obj)
	hash := t.store.hash(key)
	if l.here(hash, key) != nil {
		return
	}
	r := l.get(hash, key)
	if r == nil {
		r = &record[K, T]{key, newest(t.recent, slot, obj), hash, slot, t.owner}
	}
	l.set(r)
}

// merge puts the recent replacements into the draft.
func (t *Transaction[K, T]) merge() {
	if len(t.recent) > 0 {
		t.draft.merge(t.owner, t.recent)
		t.recent, t.edited = nil, true
	}
}

// Version returns the version of the content.
func (t *Transaction[K, T]) Version() string { return t.version }

// SetVersion sets the version of the content.
func (t *Transaction[K, T]) SetVersion(version string) { t.version = version }

// editDirectories returns the draft's list of directories, for the transaction to change.
func (t *Transaction[K, T]) editDirectories() []any {
	t.edited = true
	if !t.directories {
		t.draft.directories = slices.Clone(t.draft.directories)
		t.directories = true
	}
	return t.draft.directories
}
