package store

import (
	"github.com/sluice-k8s/sluice/pkg/cache/internal/persistent"
)

// directory is an index in a snapshot.
type directory[T, V comparable] struct {
	owner    persistent.Owner
	postings persistent.Table[*posting[T, V]]
	order    persistent.Ordered[*value[T, V]] // empty unless the index is ordered
}

// posting is a value of an index with the slots of the objects that have it, at least one.
type posting[T, V comparable] struct {
	owner persistent.Owner
	value *value[T, V]
	slots persistent.Bag
}

// value is the same for all versions of a posting. Only its members change.
type value[T, V comparable] struct {
	v    V
	hash uint32

	members members[T]
}

// find returns the posting of a value, or nil.
func (d *directory[T, V]) find(hash uint32, v V) *posting[T, V] {
	for _, entry := range d.postings.Bucket(hash) {
		if entry.Hash == hash && entry.Item.value.v == v {
			return entry.Item
		}
	}
	return nil
}

// of returns the posting of a value that has one. It compares no values, some of which are not equal to themselves.
func (d *directory[T, V]) of(v *value[T, V]) *posting[T, V] {
	for _, entry := range d.postings.Bucket(v.hash) {
		if entry.Item.value == v {
			return entry.Item
		}
	}
	panic("an index has lost a value")
}

// edit returns the posting for the owner to change.
func (d *directory[T, V]) edit(owner persistent.Owner, p *posting[T, V]) *posting[T, V] {
	if p.owner == owner {
		return p
	}
	p.value.members.change(owner)
	edited := new(*p)
	edited.owner = owner
	d.postings.Replace(owner, p.value.hash, p, edited)
	return edited
}

func (d *directory[T, V]) add(owner persistent.Owner, v V, hash uint32) *posting[T, V] {
	p := &posting[T, V]{owner: owner, value: &value[T, V]{v: v, hash: hash}}
	d.postings.Insert(owner, hash, p)
	return p
}
