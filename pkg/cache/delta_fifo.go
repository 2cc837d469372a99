package cache

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Known is what the consumer of a [DeltaFIFO] has applied so far. An [Indexer] is one.
type Known[T Object] interface {
	Get(key types.NamespacedName) (T, bool)
}

// A DeltaFIFO takes changes from one producer to one consumer. It has two buffers: the producer fills one while the
// consumer applies the other as one transaction, after which the consumer is exactly at the resource version of the batch.
//
// When the consumer is slow, changes are merged by key, so that memory is bounded by the number of keys, not of changes:
// of each key remain the deletion of what the consumer knew and the latest state.
//
// One object on its way. The consumer is busy; the server reports
//
//	Add(a@1)     first delta: Added a@1
//	Update(a@2)  second delta: Updated a@2. Were there many: merged to one, Updated a@2
//	Delete(a@3)  third delta: Deleted a@3. Merged: nothing is left, as the consumer has never heard of a
//	Add(a@4)     fourth delta: Added a@4. Another object of the same name
//
// The consumer calls Pop, gets all four (or, merged, Added a@4 alone) and applies them: the cache has a@4 and says so as
// events. Replace, from a list, makes all that waits obsolete, and what is missing in it is found to be gone when the batch
// is applied. Bookmark only moves the resource version on.
//
// The producer's methods and Pop may be called concurrently. Create one with [NewDeltaFIFO].
type DeltaFIFO[T Object] struct {
	known Known[T]
	ready token // is there while something may wait

	mu      sync.Mutex
	waiting *pending[T] // filled by the producer
	taken   *pending[T] // the consumer's, until it pops again
	version string      // the newest of this epoch
	lenient bool        // versions of different objects say nothing about each other, as with fake clientsets
}

// NewDeltaFIFO returns an empty DeltaFIFO. The consumer applies each batch to known before it pops the next.
func NewDeltaFIFO[T Object](known Known[T]) *DeltaFIFO[T] {
	return &DeltaFIFO[T]{known: known, ready: newToken(), waiting: &pending[T]{limit: unmerged}, taken: &pending[T]{limit: unmerged}}
}

// Add records a created object.
func (f *DeltaFIFO[T]) Add(obj T) { f.push(Delta[T]{Type: DeltaAdded, Object: obj}) }

// Update records an object's new state.
func (f *DeltaFIFO[T]) Update(obj T) { f.push(Delta[T]{Type: DeltaUpdated, Object: obj}) }

// Delete records a deletion. The object is its final state.
func (f *DeltaFIFO[T]) Delete(obj T) { f.push(Delta[T]{Type: DeltaDeleted, Object: obj}) }

func (f *DeltaFIFO[T]) push(delta Delta[T]) {
	f.mu.Lock()
	delta.late = !f.advanceLocked(delta.Object.GetResourceVersion()) && !f.lenient
	f.waiting.push(delta, f.mayKnowLocked)
	f.mu.Unlock()
	f.ready.signal()
}

// Replace records that items are all objects there are at the resource version. The FIFO owns the slice. A version older
// than one before begins a new epoch: the server was restored from a backup.
func (f *DeltaFIFO[T]) Replace(items []T, resourceVersion string) {
	f.replace(State[T]{Items: items, ResourceVersion: resourceVersion}, nil)
}

func (f *DeltaFIFO[T]) replace(state State[T], kept []Identity) {
	f.mu.Lock()
	f.waiting.replace(state.Items, kept)
	f.waiting.batch.unidentified = state.Unidentified
	if state.NewEpoch || older(state.ResourceVersion, f.version) {
		f.waiting.enterEpoch(state.epochKnown)
		f.version = ""
	}
	f.advanceLocked(state.ResourceVersion)
	f.mu.Unlock()
	f.ready.signal()
}

// Bookmark records that the stream has reached the resource version without further changes.
func (f *DeltaFIFO[T]) Bookmark(resourceVersion string) {
	f.mu.Lock()
	f.advanceLocked(resourceVersion)
	f.mu.Unlock()
	f.ready.signal()
}

// Resync asks the consumer to tell its subscribers of everything again: the Sync of the classic DeltaFIFO, in one delta.
func (f *DeltaFIFO[T]) Resync() {
	f.mu.Lock()
	f.waiting.batch.Resync = true
	f.mu.Unlock()
	f.ready.signal()
}

// Pop waits until something waits and returns all of it, or the context's error. The batch is valid until the next call.
func (f *DeltaFIFO[T]) Pop(ctx context.Context) (Batch[T], error) {
	f.release()
	for {
		select {
		case <-ctx.Done():
			return Batch[T]{}, ctx.Err()
		case <-f.ready:
		}
		if batch, ok := f.swap(); ok {
			return batch, nil
		}
	}
}

// release lets go of the batch that was popped before.
func (f *DeltaFIFO[T]) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken.reset()
}

func (f *DeltaFIFO[T]) swap() (Batch[T], bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken.reset()
	if f.waiting.empty() {
		return Batch[T]{}, false
	}
	f.taken, f.waiting = f.waiting, f.taken
	f.taken.seal()
	return f.taken.batch, true
}

// Len returns how many objects and changes wait.
func (f *DeltaFIFO[T]) Len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waiting.len()
}

// mayKnowLocked says whether the consumer knows an object with the key, or will when it has applied what comes before the
// deltas that wait.
func (f *DeltaFIFO[T]) mayKnowLocked(key types.NamespacedName) bool {
	if f.waiting.batch.Replaced && f.waiting.mentions(key) {
		return true
	}
	if f.taken.mentions(key) {
		return true
	}
	_, ok := f.known.Get(key)
	return ok
}

// advanceLocked moves the stream's version on. It never goes back, whatever is reported: then it returns false.
func (f *DeltaFIFO[T]) advanceLocked(resourceVersion string) bool {
	if older(resourceVersion, f.version) {
		return false
	}
	if resourceVersion != "" {
		f.version = resourceVersion
		f.waiting.batch.ResourceVersion = resourceVersion
	}
	return true
}
