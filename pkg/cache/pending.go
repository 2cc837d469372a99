package cache

import "k8s.io/apimachinery/pkg/types"

// pending is the buffer of a [DeltaFIFO]: the changes that wait, merged by key. It does no locking.
//
// For each key at most two deltas remain: the deletion of what the consumer may know, and the state after it. A deletion
// followed by a creation therefore stays visible, and everything between is merged away.
type pending[T Object] struct {
	slots           []slot[T] // in the order in which the keys first changed
	index           map[types.NamespacedName]int
	replaced        bool
	resourceVersion string
}

type slot[T Object] struct {
	key     types.NamespacedName
	deleted bool // then final is the object that was deleted first
	final   T
	current DeltaType // what made object, the last state; empty when the object is gone
	object  T
}

func newPending[T Object]() pending[T] {
	return pending[T]{index: make(map[types.NamespacedName]int)}
}

func (p *pending[T]) empty() bool {
	return len(p.slots) == 0 && !p.replaced && p.resourceVersion == ""
}

// set records that the object exists in this state.
func (p *pending[T]) set(change DeltaType, obj T) {
	s := p.slot(KeyOf(obj))
	s.current, s.object = change, obj
}

// delete records that the object is gone.
func (p *pending[T]) delete(obj T) {
	s := p.slot(KeyOf(obj))
	var none T
	s.current, s.object = "", none
	if !s.deleted {
		s.deleted, s.final = true, obj
	}
}

// replace makes items the whole content; what waited before is obsolete.
func (p *pending[T]) replace(items []T, resourceVersion string) {
	*p = newPending[T]()
	p.replaced, p.resourceVersion = true, resourceVersion
	p.slots = make([]slot[T], 0, len(items))
	for _, item := range items {
		p.set(DeltaReplaced, item)
	}
}

// slot returns the slot of the key, made if needed. It is valid until the next call.
func (p *pending[T]) slot(key types.NamespacedName) *slot[T] {
	i, ok := p.index[key]
	if !ok {
		i = len(p.slots)
		p.index[key] = i
		p.slots = append(p.slots, slot[T]{key: key})
	}
	return &p.slots[i]
}

// mentions says whether any delta of the key waits.
func (p *pending[T]) mentions(key types.NamespacedName) bool {
	_, ok := p.index[key]
	return ok
}

// deltas appends what waits to deltas, in order.
func (p *pending[T]) deltas(deltas []Delta[T]) []Delta[T] {
	for i := range p.slots {
		s := &p.slots[i]
		if s.deleted {
			deltas = append(deltas, Delta[T]{Type: DeltaDeleted, Key: s.key, Object: s.final})
		}
		if s.current != "" {
			deltas = append(deltas, Delta[T]{Type: s.current, Key: s.key, Object: s.object})
		}
	}
	return deltas
}
