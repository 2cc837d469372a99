package cache

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// unmerged is how many deltas may wait in a [DeltaFIFO] as they came. More are merged by key.
const unmerged = 1024

// pending is one buffer of a [DeltaFIFO]. It does no locking.
//
// While there are few deltas they stay as they came, which costs little. Beyond that at most two remain for each key: the
// deletion of what the consumer may know, and the state after it. A deletion followed by a creation therefore stays
// visible, and everything between is merged away, also an object that came and went and that the consumer has not heard of.
type pending[T Object] struct {
	batch  Batch[T]
	merged *keyed[change[T]] // the deltas, once they are many; else batch has them
	keys   map[types.NamespacedName]struct{}
}

// change is what waits for one key. A delta without a type is none.
type change[T Object] struct {
	deleted Delta[T] // the deletion of what the consumer may know
	current Delta[T] // the state after it
}

func (p *pending[T]) empty() bool {
	return !p.batch.Replaced && !p.batch.Resync && len(p.batch.Deltas) == 0 && p.merged == nil && p.batch.ResourceVersion == ""
}

// len returns the number of items and deltas; of merged ones, of their keys.
func (p *pending[T]) len() int {
	n := len(p.batch.Items) + len(p.batch.Deltas)
	if p.merged != nil {
		n += p.merged.len()
	}
	return n
}

// push adds a delta. known says whether the consumer may know an object with the key.
func (p *pending[T]) push(delta Delta[T], known func(types.NamespacedName) bool) {
	if p.merged == nil {
		p.batch.Deltas = append(p.batch.Deltas, delta)
		if len(p.batch.Deltas) > unmerged {
			p.mergeAll(known)
		}
		return
	}
	p.merge(delta, known)
}

func (p *pending[T]) mergeAll(known func(types.NamespacedName) bool) {
	p.merged = newKeyed[change[T]]()
	for _, delta := range p.batch.Deltas {
		p.merge(delta, known)
	}
	clear(p.batch.Deltas)
	p.batch.Deltas = p.batch.Deltas[:0]
}

func (p *pending[T]) merge(delta Delta[T], known func(types.NamespacedName) bool) {
	key := KeyOf(delta.Object)
	c := p.merged.get(key)
	switch {
	case delta.Type != DeltaDeleted && c == nil:
		p.merged.add(key, change[T]{current: delta})
	case delta.Type != DeltaDeleted:
		c.current = delta
	case c == nil && known(key):
		p.merged.add(key, change[T]{deleted: delta})
	case c == nil: // the deletion of what nobody knows
	case c.deleted.Type != 0:
		c.current = Delta[T]{}
	case known(key):
		*c = change[T]{deleted: delta}
	default:
		p.merged.drop(key) // it came and went
	}
}

// replace makes items the whole content; what waited before is obsolete.
func (p *pending[T]) replace(items []T) {
	clear(p.batch.Deltas)
	p.batch.Replaced, p.batch.Items, p.batch.Deltas = true, items, p.batch.Deltas[:0]
	p.merged, p.keys = nil, nil
}

// mentions says whether the batch has an object with the key. The batch must not change from the first call on, except for
// its deltas in a buffer that has a replacement.
func (p *pending[T]) mentions(key types.NamespacedName) bool {
	if p.keys == nil {
		p.keys = make(map[types.NamespacedName]struct{}, len(p.batch.Items)+len(p.batch.Deltas))
		for _, item := range p.batch.Items {
			p.keys[KeyOf(item)] = struct{}{}
		}
		for _, delta := range p.batch.Deltas {
			p.keys[KeyOf(delta.Object)] = struct{}{}
		}
	}
	_, ok := p.keys[key]
	return ok
}

// seal puts the deltas into the batch, in order.
func (p *pending[T]) seal() {
	if p.merged == nil {
		return
	}
	p.batch.Deltas = slices.Grow(p.batch.Deltas, p.merged.len())
	for c := range p.merged.all() {
		for _, delta := range [2]Delta[T]{c.deleted, c.current} {
			if delta.Type != 0 {
				p.batch.Deltas = append(p.batch.Deltas, delta)
			}
		}
	}
	p.merged, p.keys = nil, nil
}

// reset empties the buffer. Its memory is used again, unless it is much.
func (p *pending[T]) reset() {
	deltas := p.batch.Deltas
	clear(deltas) // lets the objects go
	if cap(deltas) > 2*unmerged {
		deltas = nil
	}
	*p = pending[T]{batch: Batch[T]{Deltas: deltas[:0]}}
}
