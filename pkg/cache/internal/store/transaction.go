package store

import (
	"math"
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
type Place[T comparable] struct {
	hash   uint32
	slot   uint32     // or none
	number uint32     // in a table of the latest objects,
	table  *latest[T] // unless that had no room for the key
}

const none = math.MaxUint32

// Exists says whether there is an object.
func (p Place[T]) Exists() bool { return p.slot != none }

// Slot returns the slot of the object, which must exist.
func (p Place[T]) Slot() int { return int(p.slot) }

// Stamp returns the stamp that the object was put with, or the zero Stamp when it is not at hand.
func (p Place[T]) Stamp() Stamp {
	if p.table == nil {
		return Stamp{}
	}
	return p.table.note(p.number).stamp
}

// A Stamp is what the caller wants to know of an object without a look at it: of its version, and 128 bits of what it is.
// The zero Stamp says nothing.
type Stamp struct{ Version, High, Low uint64 }

// Find returns the object with the key, if there is one, and its place.
func (t *Transaction[K, T]) Find(key K) (T, Place[T]) {
	k := t.store.text(key)
	hash := t.store.hash(k)
	for l := t.store.latest.Load(); l != nil; l = l.before.Load() {
		if number, ok := l.number(hash, k); ok {
			if obj, there := l.cell(number).get(l.arePointers); there {
				return obj, Place[T]{hash, l.note(number).slot, number, l}
			}
		}
	}
	obj, slot, found := t.store.find(&t.draft, hash, key)
	if !found {
		return obj, Place[T]{hash: hash, slot: none}
	}
	return newest(t.recent, slot, obj), Place[T]{hash: hash, slot: slot}
}

// Len returns the number of objects.
func (t *Transaction[K, T]) Len() int { return t.draft.objects.Len() }

// At returns the object in a slot, which must be less than Len.
func (t *Transaction[K, T]) At(slot int) T {
	t.merge()
	return t.draft.objects.At(slot)
}

// PlaceOf returns the place of the object in a slot.
func (t *Transaction[K, T]) PlaceOf(slot int) Place[T] {
	_, at := t.Find(t.store.keyOf(t.At(slot)))
	return at
}

// Put puts the object in its place, instead of the one that is there.
func (t *Transaction[K, T]) Put(at Place[T], obj T) { t.PutStamped(at, obj, Stamp{}) }

// PutStamped is Put for an object with a stamp.
func (t *Transaction[K, T]) PutStamped(at Place[T], obj T, stamp Stamp) {
	for _, index := range t.store.indexes { // runs functions of the user's: nothing has changed yet
		index.prepare(obj, !at.Exists())
	}
	slot := at.slot
	if at.Exists() {
		t.replace(at, obj, stamp)
	} else {
		slot = t.insert(at.hash, obj, stamp)
	}
	for _, index := range t.store.indexes {
		index.put(t, slot, obj)
	}
	t.refit()
}

func (t *Transaction[K, T]) replace(at Place[T], obj T, stamp Stamp) {
	if l := at.table; l != nil {
		l.cell(at.number).set(obj, uint64(t.owner), l.arePointers)
		l.note(at.number).stamp = stamp
	} else {
		t.note(obj, note{stamp, at.slot})
	}
	t.recent = append(t.recent, replacement[T]{at.slot, obj})
	if len(t.recent) >= maxRecent {
		t.merge()
	}
}

func (t *Transaction[K, T]) insert(hash uint32, obj T, stamp Stamp) (slot uint32) {
	t.edited = true
	slot = uint32(t.Len())
	t.draft.objects.Append(t.owner, obj)
	t.draft.keys.Insert(t.owner, hash, slot)
	t.note(obj, note{stamp, slot})
	return slot
}

// Delete removes the object, which must exist. The last object moves into its slot.
func (t *Transaction[K, T]) Delete(at Place[T]) {
	t.merge()
	t.edited = true
	for _, index := range t.store.indexes {
		index.remove(t, at.slot)
	}
	t.draft.keys.Delete(t.owner, at.hash, at.slot)
	if at.table != nil {
		at.table.cell(at.number).clear(uint64(t.owner))
	}
	if last := uint32(t.Len() - 1); last != at.slot {
		t.move(last, at.slot)
	}
	t.draft.objects.Pop(t.owner)
	t.refit()
}

func (t *Transaction[K, T]) move(from, to uint32) {
	obj := t.At(int(from))
	k := t.store.textOf(obj)
	hash := t.store.hash(k)
	t.draft.objects.Set(t.owner, int(to), obj)
	t.draft.keys.Replace(t.owner, hash, from, to)
	for l := t.store.latest.Load(); l != nil; l = l.before.Load() {
		if number, ok := l.number(hash, k); ok {
			l.note(number).slot = to
		}
	}
	for _, index := range t.store.indexes {
		index.move(t, from, to)
	}
}

// note tells those who get from the latest snapshot of an object whose key is not in the table, or had an object once.
func (t *Transaction[K, T]) note(obj T, n note) {
	s := t.store
	k := s.textOf(obj)
	hash := s.hash(k)
	s.width = max(s.width, min((k.width()+7)/8*8, widest))
	l := s.latest.Load()
	if number, ok := l.number(hash, k); ok {
		*l.note(number) = n
		l.cell(number).set(obj, uint64(t.owner), l.arePointers)
	} else {
		l.insert(hash, k, obj, uint64(t.owner), n)
	}
}

// moveAtOnce is how many numbers of a table one change brings into the next. That one is full long after it has them all.
const moveAtOnce = 16

// refit makes another table when that has got out of proportion, and goes on to fill it.
func (t *Transaction[K, T]) refit() {
	s := t.store
	l := s.latest.Load()
	before := l.before.Load()
	if before == nil {
		if l.fits(t.Len(), s.width) {
			return
		}
		before, l = l, newLatest(s.textOf, t.Len(), s.width)
		l.before.Store(before)
		s.latest.Store(l)
	}
	for range moveAtOnce {
		if l.moved == before.used {
			l.before.Store(nil)
			return
		}
		t.fill(l, before, uint32(l.moved))
		l.moved++
	}
}

// fill brings what has a number into the next table.
func (t *Transaction[K, T]) fill(l, before *latest[T], number uint32) {
	c := before.cell(number)
	obj, there := c.get(l.arePointers)
	if !there {
		return
	}
	k := before.textAt(number, obj)
	l.insert(t.store.hash(k), k, obj, c.since.Load(), *before.note(number))
	c.clear(never)
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
