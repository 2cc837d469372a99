package cache

import (
	"context"
	"iter"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// A DeltaType says which operation of the [DeltaFIFO] made a delta.
type DeltaType string

// The types of deltas. The first three carry an object's new state and are applied alike.
const (
	DeltaAdded    DeltaType = "Added"
	DeltaUpdated  DeltaType = "Updated"
	DeltaReplaced DeltaType = "Replaced"
	DeltaDeleted  DeltaType = "Deleted"
)

// A Delta is a change of one object as the server reported it.
type Delta[T Object] struct {
	Type   DeltaType
	Key    types.NamespacedName
	Object T // the new state; of a deletion the last known one

	// FinalStateUnknown marks a deletion that was not seen but inferred: the object was missing from a list.
	FinalStateUnknown bool
}

// A Batch is everything that waited in a [DeltaFIFO], to be applied as one transaction.
type Batch[T Object] struct {
	Deltas []Delta[T]

	// Replaced says that after the batch nothing exists but what its deltas say.
	Replaced bool
	// ResourceVersion is the version of the stream after the batch; empty when it did not change.
	ResourceVersion string
}

// Known is what a [DeltaFIFO] compares a replacement with: the consumer's objects. An [Indexer] is one.
type Known[T Object] interface {
	All() iter.Seq[T]
}

// A DeltaFIFO takes changes from one producer to one consumer. While they wait they are merged by key, so that memory is
// bounded by the number of keys, not of changes: of each key the deletion of what was there and the latest state remain.
//
// The producer's methods and Pop may be called concurrently. Create one with [NewDeltaFIFO].
type DeltaFIFO[T Object] struct {
	known Known[T]
	ready token // is there while something may wait

	mu      sync.Mutex
	pending pending[T]
}

// NewDeltaFIFO returns an empty DeltaFIFO. The consumer keeps known up to date: it applies each batch before it pops the
// next.
func NewDeltaFIFO[T Object](known Known[T]) *DeltaFIFO[T] {
	return &DeltaFIFO[T]{known: known, ready: newToken(), pending: newPending[T]()}
}

// Add records a created object.
func (f *DeltaFIFO[T]) Add(obj T) { f.set(DeltaAdded, obj) }

// Update records an object's new state.
func (f *DeltaFIFO[T]) Update(obj T) { f.set(DeltaUpdated, obj) }

func (f *DeltaFIFO[T]) set(change DeltaType, obj T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending.set(change, obj)
	f.advanceLocked(obj.GetResourceVersion())
}

// Delete records a deletion. The object is its final state.
func (f *DeltaFIFO[T]) Delete(obj T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending.delete(obj)
	f.advanceLocked(obj.GetResourceVersion())
}

// Replace records that items are all objects there are at the resource version. Objects that the consumer knows and that
// are missing here come out of Pop as deletions whose final state is unknown.
func (f *DeltaFIFO[T]) Replace(items []T, resourceVersion string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending.replace(items, resourceVersion)
	f.advanceLocked(resourceVersion)
}

// Bookmark records that the stream has reached the resource version without further changes.
func (f *DeltaFIFO[T]) Bookmark(resourceVersion string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advanceLocked(resourceVersion)
}

// Pop waits until something waits and returns all of it, or the context's error.
func (f *DeltaFIFO[T]) Pop(ctx context.Context) (Batch[T], error) {
	for {
		select {
		case <-ctx.Done():
			return Batch[T]{}, ctx.Err()
		case <-f.ready:
		}
		if taken := f.swap(); !taken.empty() {
			return f.batch(&taken), nil
		}
	}
}

// swap takes the buffer and leaves an empty one.
func (f *DeltaFIFO[T]) swap() pending[T] {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken := f.pending
	f.pending = newPending[T]()
	return taken
}

// batch runs without the lock: the buffer was taken, and only the consumer changes what is known.
func (f *DeltaFIFO[T]) batch(taken *pending[T]) Batch[T] {
	batch := Batch[T]{Replaced: taken.replaced, ResourceVersion: taken.resourceVersion}
	if taken.replaced {
		batch.Deltas = f.missedDeletes(taken)
	}
	batch.Deltas = taken.deltas(batch.Deltas)
	return batch
}

func (f *DeltaFIFO[T]) missedDeletes(taken *pending[T]) []Delta[T] {
	var missed []Delta[T]
	for obj := range f.known.All() {
		if key := KeyOf(obj); !taken.mentions(key) {
			missed = append(missed, Delta[T]{Type: DeltaDeleted, Key: key, Object: obj, FinalStateUnknown: true})
		}
	}
	return missed
}

// advanceLocked wakes the consumer. An empty version says nothing of the stream's.
func (f *DeltaFIFO[T]) advanceLocked(resourceVersion string) {
	if resourceVersion != "" {
		f.pending.resourceVersion = resourceVersion
	}
	f.ready.signal()
}
