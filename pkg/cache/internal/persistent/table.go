package persistent

import (
	"iter"
	"slices"
)

// load is how many items a bucket of a [Table] holds on average, at most.
const load = 6

// A Table finds items by a hash of 32 bits. It compares hashes only: several items may have the same one, and the caller
// tells them apart. The zero value is empty.
//
// It grows and shrinks by one bucket at a time, so that no change has to move everything: linear hashing (W. Litwin,
// "Linear hashing: a new tool for file and table addressing", 1980).
type Table[I comparable] struct {
	buckets Vector[[]Entry[I]]
	items   int
	level   int // there are at least 1<<level buckets; those before the split are addressed by a bit more
}

// An Entry is an item of a [Table] with its hash.
type Entry[I comparable] struct {
	Hash uint32
	Item I
}

// Len returns the number of items.
func (t *Table[I]) Len() int { return t.items }

// Bucket returns the entries among which are all with the hash. The slice must not be changed.
func (t *Table[I]) Bucket(hash uint32) []Entry[I] {
	if t.items == 0 {
		return nil
	}
	return t.buckets.At(t.number(hash))
}

// All yields the items in no particular order.
func (t *Table[I]) All() iter.Seq[I] {
	return func(yield func(I) bool) {
		for bucket := range flatten(t.buckets.Chunks()) {
			for _, entry := range bucket {
				if !yield(entry.Item) {
					return
				}
			}
		}
	}
}

// number returns the number of the bucket that has the hash.
func (t *Table[I]) number(hash uint32) int {
	n := int(hash & (1<<t.level - 1))
	if n < t.buckets.Len()-1<<t.level { // was split
		n = int(hash & (1<<(t.level+1) - 1))
	}
	return n
}

// Insert adds an item.
func (t *Table[I]) Insert(owner Owner, hash uint32, item I) {
	if t.buckets.Len() == 0 {
		t.buckets.Append(owner, nil)
	}
	n := t.number(hash)
	t.buckets.Set(owner, n, append(t.buckets.At(n), Entry[I]{hash, item}))
	t.items++
	if t.items > load*t.buckets.Len() {
		t.split(owner)
	}
}

// Replace puts an item in the place of another, which must be there.
func (t *Table[I]) Replace(owner Owner, hash uint32, old, item I) {
	n := t.number(hash)
	bucket := slices.Clone(t.buckets.At(n))
	bucket[slices.Index(bucket, Entry[I]{hash, old})].Item = item
	t.buckets.Set(owner, n, bucket)
}

// Delete removes an item, which must be there.
func (t *Table[I]) Delete(owner Owner, hash uint32, item I) {
	n := t.number(hash)
	bucket := t.buckets.At(n)
	i := slices.Index(bucket, Entry[I]{hash, item})
	t.buckets.Set(owner, n, slices.Concat(bucket[:i], bucket[i+1:]))
	t.items--
	if t.items < load/2*(t.buckets.Len()-1) {
		t.merge(owner)
	}
}

// split moves the entries of one bucket that differ in the next bit of the hash into a new one.
func (t *Table[I]) split(owner Owner) {
	n := t.buckets.Len() - 1<<t.level
	var stay, leave []Entry[I]
	for _, entry := range t.buckets.At(n) {
		if entry.Hash>>t.level&1 == 0 {
			stay = append(stay, entry)
		} else {
			leave = append(leave, entry)
		}
	}
	t.buckets.Set(owner, n, stay)
	t.buckets.Append(owner, leave)
	if t.buckets.Len() == 1<<(t.level+1) {
		t.level++
	}
}

// merge undoes the last split.
func (t *Table[I]) merge(owner Owner) {
	last := t.buckets.Len() - 1
	if last < 1<<t.level {
		t.level--
	}
	n := last - 1<<t.level
	t.buckets.Set(owner, n, slices.Concat(t.buckets.At(n), t.buckets.At(last)))
	t.buckets.Pop(owner)
}
