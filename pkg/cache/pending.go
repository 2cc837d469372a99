package cache

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// unmerged is how many deltas may wait in a [DeltaFIFO] as they came. More are merged by key. Tests set less.
const unmerged = 1024

// muchMemory is how many deltas a buffer has room for when it is let go with all that belongs to it.
const muchMemory = 16 * unmerged

// pending is one buffer of a [DeltaFIFO]. It does no locking.
//
// While there are few deltas they stay as they came, which costs little. Beyond that at most two remain for each key: the
// deletion of what the consumer may know, and the state after it. A deletion followed by a creation therefore stays
// visible, and everything between is merged away, also an object that came and went and that the consumer has not heard of.
type pending[T Object] struct {
	limit  int // of unmerged deltas
	batch  Batch[T]
	merged *keyed[change[T]] // the deltas, once they are many; else batch has them
	spare  *keyed[change[T]] // empty, to be merged when that is needed again
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
		if len(p.batch.Deltas) > p.limit {
			p.mergeAll(known)
		}
		return
	}
	p.merge(delta, known)
}

func (p *pending[T]) mergeAll(known func(types.NamespacedName) bool) {
	if p.merged, p.spare = p.spare, nil; p.merged == nil {
		p.merged = newKeyed[change[T]]()
	}
	deltas := p.batch.Deltas
	p.batch.Deltas = deltas[:0] // what waits is not known already
	for _, delta := range deltas {
		p.merge(delta, known)
	}
	clear(deltas)
}

func (p *pending[T]) merge(delta Delta[T], known func(types.NamespacedName) bool) {
	key := KeyOf(delta.Object)
	c := p.merged.get(key)
	switch {
	case p.refuses(delta, key, c, known):
		p.batch.refused++
	case delta.Type == DeltaDeleted:
		p.mergeDeletion(delta, key, c, known)
	case c == nil:
		p.merged.add(key, change[T]{current: delta})
	default:
		delta.late = delta.late && c.current.late // the state that it replaces was in time
		c.current = delta
	}
}

// refuses says whether a delta is older than what waits, or the late state of an object that is gone.
func (p *pending[T]) refuses(
	delta Delta[T], key types.NamespacedName, c *change[T], known func(types.NamespacedName) bool,
) bool {
	if c != nil && c.current.Type != 0 {
		return isOlder(delta, c.current)
	}
	return delta.late && delta.Type != DeltaDeleted && (c != nil || !known(key))
}

func (p *pending[T]) mergeDeletion(
	delta Delta[T], key types.NamespacedName, c *change[T], known func(types.NamespacedName) bool,
) {
	switch {
	case c == nil && known(key):
		p.merged.add(key, change[T]{deleted: delta})
	case c == nil: // the deletion of what nobody knows
	case c.deleted.Type != 0:
		c.current = Delta[T]{}
		if c.deleted.Object.GetUID() == delta.Object.GetUID() && !isOlder(delta, c.deleted) {
			c.deleted = delta // the one before may be refused, as older than what is known
		}
	case known(key):
		*c = change[T]{deleted: delta}
	default:
		p.merged.drop(key) // it came and went
	}
}

func isOlder[T Object](a, b Delta[T]) bool {
	return older(a.Object.GetResourceVersion(), b.Object.GetResourceVersion())
}

// replace makes items the whole content; what waited before is obsolete.
func (p *pending[T]) replace(items []T, kept []Identity) {
	clear(p.batch.Deltas)
	p.batch.Replaced, p.batch.Items, p.batch.kept, p.batch.Deltas = true, items, kept, p.batch.Deltas[:0]
	p.merged, p.keys = nil, nil
}

// enterEpoch notes that the replacement begins a new epoch. What was found here stays so, whoever knows of it.
func (p *pending[T]) enterEpoch(known bool) {
	found := p.batch.NewEpoch && !p.batch.epochKnown
	p.batch.NewEpoch, p.batch.epochKnown = true, known && !found
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
	p.merged.reset()
	p.merged, p.spare, p.keys = nil, p.merged, nil
}

// reset empties the buffer. Its memory is used again, unless it is much.
func (p *pending[T]) reset() {
	deltas, spare := p.batch.Deltas, p.spare
	clear(deltas) // lets the objects go
	if cap(deltas) > muchMemory {
		deltas, spare = nil, nil
	}
	*p = pending[T]{limit: p.limit, batch: Batch[T]{Deltas: deltas[:0]}, spare: spare}
}
