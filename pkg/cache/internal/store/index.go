package store

import (
	"hash/maphash"
	"iter"
	"slices"
)

// An Index finds the objects of a [Store] by values computed from them. Create one with [AddIndex].
type Index[K, T, V comparable] struct {
	IndexConfig[K, T, V]
	store  *Store[K, T]
	number int

	// Only the writer uses what follows.
	values []V           // prepared for the next put,
	err    error         // or why not
	first  []ref[T, V]   // by slot: the object's first value, if any
	others [][]ref[T, V] // by slot: its further values; nil until an object has any
	failed map[K]struct{}
}

// An IndexConfig configures an [Index].
type IndexConfig[K, T, V comparable] struct {
	// Values returns the values under which an object is found. It runs during transactions, and in [Index.In] for
	// snapshots from before the index was added.
	Values func(T) ([]V, error)
	// OfKey says that the values depend on the key alone: an object that takes the place of another is not looked at.
	OfKey bool
	// Text, if not nil, makes the index an ordered one. It must not panic, and values that differ must have texts that do.
	Text func(V) string
	// Report, if not nil, is told during transactions that an object is not in the index and why: Values failed or panicked,
	// or a value cannot be compared. A nil error takes that back, also when the object is deleted.
	Report func(key K, obj T, err error)
}

// ref says that an object has a value, and its position among the slots of the posting.
type ref[T, V comparable] struct {
	value    *value[T, V]
	position uint32
}

// AddIndex adds an index to the store; the objects that are there already are indexed at once.
func AddIndex[K, T, V comparable](s *Store[K, T], config IndexConfig[K, T, V]) *Index[K, T, V] {
	tx := s.Begin()
	defer tx.Commit()
	x := &Index[K, T, V]{IndexConfig: config, store: s, number: len(s.indexes)}
	x.build(tx)
	s.indexes = append(s.indexes, x)
	return x
}

func (x *Index[K, T, V]) build(tx *Transaction[K, T]) {
	for len(tx.draft.directories) <= x.number {
		tx.draft.directories = append(tx.editDirectories(), nil)
	}
	tx.editDirectories()[x.number] = &directory[T, V]{owner: tx.owner}
	tx.merge()
	slot := uint32(0)
	for obj := range tx.draft.all {
		x.prepare(obj, true)
		x.put(tx, slot, obj)
		slot++
	}
}

// put makes the values of the object in the slot those that were prepared.
func (x *Index[K, T, V]) put(tx *Transaction[K, T], slot uint32, obj T) {
	if int(slot) == len(x.first) {
		x.first = append(x.first, ref[T, V]{})
		if x.others != nil {
			x.others = append(x.others, nil)
		}
	} else if x.OfKey {
		x.note(tx, slot)
		return
	}
	values, err := x.values, x.err
	x.values, x.err = nil, nil
	if err == nil && x.has(slot, values) {
		x.report(obj, nil)
		x.note(tx, slot)
		return
	}
	var hashes []uint32
	if err == nil {
		hashes, err = x.hashes(values)
	}
	x.report(obj, err)
	x.release(tx, slot)
	for i, hash := range hashes {
		x.add(tx, slot, values[i], hash)
	}
}

// note tells those who look up the values of the object in the slot that it is another one.
func (x *Index[K, T, V]) note(tx *Transaction[K, T], slot uint32) {
	if first := x.first[slot].value; first != nil {
		first.members.change(tx.owner)
	}
	for _, other := range x.rest(slot) {
		other.value.members.change(tx.owner)
	}
}

func (x *Index[K, T, V]) hash(v V) uint32 { return uint32(maphash.Comparable(x.store.seed, v)) }

// has says whether the object in the slot has exactly these values.
func (x *Index[K, T, V]) has(slot uint32, values []V) bool {
	first := x.first[slot].value
	if len(values) == 0 || first == nil {
		return len(values) == 0 && first == nil
	}
	others := x.rest(slot)
	if first.v != values[0] || len(others) != len(values)-1 {
		return false
	}
	for i, other := range others {
		if other.value.v != values[i+1] {
			return false
		}
	}
	return true
}

func (x *Index[K, T, V]) rest(slot uint32) []ref[T, V] {
	if x.others == nil {
		return nil
	}
	return x.others[slot]
}

// add gives the object in the slot one more value, unless it has it.
func (x *Index[K, T, V]) add(tx *Transaction[K, T], slot uint32, v V, hash uint32) {
	d := x.edit(tx)
	p := d.find(hash, v)
	if p == nil {
		p = d.add(tx.owner, v, hash)
		if x.Text != nil {
			d.order.Insert(tx.owner, x.Text(v), hash, p.value)
		}
	} else if x.ref(slot, p.value) != nil {
		return
	}
	p = d.edit(tx.owner, p)
	r := ref[T, V]{p.value, uint32(p.slots.Len())}
	p.slots.Append(tx.owner, slot)
	switch {
	case x.first[slot].value == nil:
		x.first[slot] = r
		return
	case x.others == nil:
		x.others = make([][]ref[T, V], len(x.first))
	}
	x.others[slot] = append(x.others[slot], r)
}

// ref returns the object's ref to the value, or nil.
func (x *Index[K, T, V]) ref(slot uint32, v *value[T, V]) *ref[T, V] {
	if x.first[slot].value == v {
		return &x.first[slot]
	}
	others := x.rest(slot)
	for i := range others {
		if others[i].value == v {
			return &others[i]
		}
	}
	return nil
}

// release takes all values from the object in the slot.
func (x *Index[K, T, V]) release(tx *Transaction[K, T], slot uint32) {
	for r := range x.refs(slot) {
		x.drop(tx, r)
	}
	x.first[slot] = ref[T, V]{}
	if x.others != nil {
		x.others[slot] = nil
	}
}

// drop takes the slot of a ref out of its posting; the last one takes its position.
func (x *Index[K, T, V]) drop(tx *Transaction[K, T], r ref[T, V]) {
	d := x.edit(tx)
	p := d.edit(tx.owner, d.of(r.value))
	last := p.slots.Len() - 1
	if int(r.position) != last {
		moved := p.slots.At(last)
		p.slots.Set(tx.owner, int(r.position), moved)
		x.ref(moved, r.value).position = r.position
	}
	p.slots.Pop(tx.owner)
	if last == 0 {
		d.postings.Delete(tx.owner, r.value.hash, p)
		if x.Text != nil {
			d.order.Delete(tx.owner, x.Text(r.value.v))
		}
	}
}

func (x *Index[K, T, V]) refs(slot uint32) func(func(ref[T, V]) bool) {
	return func(yield func(ref[T, V]) bool) {
		if x.first[slot].value == nil || !yield(x.first[slot]) {
			return
		}
		slices.Values(x.rest(slot))(yield)
	}
}

// remove takes the object in the slot out of the index, before it leaves the store.
func (x *Index[K, T, V]) remove(tx *Transaction[K, T], slot uint32) {
	x.report(tx.At(int(slot)), nil)
	x.release(tx, slot)
	if int(slot) == len(x.first)-1 {
		x.shrink()
	}
}

// move makes the object in the last slot the one of another slot.
func (x *Index[K, T, V]) move(tx *Transaction[K, T], from, to uint32) {
	for r := range x.refs(from) {
		d := x.edit(tx)
		d.edit(tx.owner, d.of(r.value)).slots.Set(tx.owner, int(r.position), to)
	}
	x.first[to] = x.first[from]
	if x.others != nil {
		x.others[to] = x.others[from]
	}
	x.shrink()
}

// shrink forgets the last slot.
func (x *Index[K, T, V]) shrink() {
	x.first = shortened(x.first)
	if x.others != nil {
		x.others = shortened(x.others)
	}
}

// shortened returns s without its last element, in less memory when much has become free.
func shortened[E any](s []E) []E {
	last := len(s) - 1
	clear(s[last:])
	s = s[:last]
	if cap(s) > 64 && cap(s) > 4*len(s) {
		return append(make([]E, 0, 2*len(s)), s...)
	}
	return s
}

// edit returns the index's directory for the transaction to change.
func (x *Index[K, T, V]) edit(tx *Transaction[K, T]) *directory[T, V] {
	d := tx.draft.directories[x.number].(*directory[T, V])
	if d.owner == tx.owner {
		return d
	}
	edited := new(*d)
	edited.owner = tx.owner
	tx.editDirectories()[x.number] = edited
	return edited
}

// Lookup yields the objects that have the value in the latest snapshot, in no particular order.
//
// It is small enough to be inlined, so that a loop over it needs no memory.
func (x *Index[K, T, V]) Lookup(v V) iter.Seq[T] {
	s := x.store.Snapshot()
	return func(yield func(T) bool) { x.each(s, v, yield) }
}

func (x *Index[K, T, V]) each(s *Snapshot[K, T], v V, yield func(T) bool) { x.In(s).each(v, yield) }

// In returns the index as it is in a snapshot. In one from before the index was added, it is computed now.
func (x *Index[K, T, V]) In(s *Snapshot[K, T]) View[K, T, V] {
	if s.store != x.store {
		panic("cache: the snapshot is of another indexer than the index")
	}
	c := s.content()
	if x.number < len(c.directories) {
		if d, ok := c.directories[x.number].(*directory[T, V]); ok {
			return View[K, T, V]{x, s.number, c, d}
		}
	}
	tx := &Transaction[K, T]{store: x.store, owner: x.store.newOwner(), draft: *c}
	late := &Index[K, T, V]{IndexConfig: x.IndexConfig, store: x.store, number: x.number}
	late.Report = nil
	late.build(tx)
	return View[K, T, V]{x, s.number, c, tx.draft.directories[x.number].(*directory[T, V])}
}
