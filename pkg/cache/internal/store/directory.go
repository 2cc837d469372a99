package store

import (
	"github.com/sluice-k8s/sluice/pkg/cache/internal/persistent"
)

// directory is an index in a snapshot.
type directory[V comparable] struct {
	owner    persistent.Owner
	postings persistent.Table[*posting[V]]
	order    persistent.Ordered[*value[V]] // empty unless the index is ordered
}

// posting is a value of an index with the slots of the objects that have it, at least one.
type posting[V comparable] struct {
	owner persistent.Owner
	value *value[V]
	slots persistent.Bag
}

// value is the same for all versions of a posting.
type value[V comparable] struct {
	v    V
	hash uint32
}

// find returns the posting of a value, or nil.
func (d *directory[V]) find(hash uint32, v V) *posting[V] {
	for _, entry := range d.postings.Bucket(hash) {
		if entry.Hash == hash && entry.Item.value.v == v {
			return entry.Item
		}
	}
	return nil
}

// of returns the posting of a value that has one. It compares no values, some of which are not equal to themselves.
func (d *directory[V]) of(v *value[V]) *posting[V] {
	for _, entry := range d.postings.Bucket(v.hash) {
		if entry.Item.value == v {
			return entry.Item
		}
	}
	panic("an index has lost a value")
}

// edit returns the posting for the owner to change.
func (d *directory[V]) edit(owner persistent.Owner, p *posting[V]) *posting[V] {
	if p.owner == owner {
		return p
	}
	edited := new(*p)
	edited.owner = owner
	d.postings.Replace(owner, p.value.hash, p, edited)
	return edited
}

func (d *directory[V]) add(owner persistent.Owner, v V, hash uint32) *posting[V] {
	p := &posting[V]{owner: owner, value: &value[V]{v, hash}}
	d.postings.Insert(owner, hash, p)
	return p
}
