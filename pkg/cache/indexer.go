package cache

import (
	"iter"
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// An Indexer holds the objects of one kind by key and by any number of secondary indexes (see [AddIndex]).
//
// Reads may be called concurrently, also with Apply. Create one with [NewIndexer].
type Indexer[T Object] struct {
	mu              sync.RWMutex
	objects         map[types.NamespacedName]T
	tables          []table[T]
	resourceVersion string
	onError         func(*IndexError)
}

// NewIndexer returns an empty Indexer. It calls onError when an index function has panicked, under its lock: onError must
// not call the indexer. Nil ignores the errors.
func NewIndexer[T Object](onError func(*IndexError)) *Indexer[T] {
	if onError == nil {
		onError = func(*IndexError) {}
	}
	return &Indexer[T]{objects: make(map[types.NamespacedName]T), onError: onError}
}

// Get returns the object with the key, and whether there is one.
func (i *Indexer[T]) Get(key types.NamespacedName) (T, bool) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	obj, ok := i.objects[key]
	return obj, ok
}

// All yields the objects that exist when the iteration starts, in no particular order. The loop may take its time: it
// holds no lock.
func (i *Indexer[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		i.mu.RLock()
		objects := slices.AppendSeq(make([]T, 0, len(i.objects)), maps.Values(i.objects))
		i.mu.RUnlock()
		slices.Values(objects)(yield)
	}
}

// Len returns the number of objects.
func (i *Indexer[T]) Len() int {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return len(i.objects)
}

// ResourceVersion returns the version of the last batch applied: the Indexer holds what the server held then. It is empty
// before the first.
func (i *Indexer[T]) ResourceVersion() string {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.resourceVersion
}

// Apply changes the Indexer by all deltas of the batch as one transaction and returns what changed, in order. A deletion
// of what is not there and a state that is there already, as its resource version tells, are no events. An object that
// has taken the place of another, as its UID tells, is a deletion, with an unknown final state, and an addition.
func (i *Indexer[T]) Apply(batch Batch[T]) []Event[T] {
	i.mu.Lock()
	defer i.mu.Unlock()
	events := make([]Event[T], 0, len(batch.Deltas))
	for _, delta := range batch.Deltas {
		from := len(events)
		events = i.stepLocked(events, delta)
		for _, event := range events[from:] {
			i.storeLocked(event)
		}
	}
	if batch.ResourceVersion != "" {
		i.resourceVersion = batch.ResourceVersion
	}
	return events
}

// stepLocked appends the events by which a delta changes what is there now.
func (i *Indexer[T]) stepLocked(events []Event[T], delta Delta[T]) []Event[T] {
	old, exists := i.objects[delta.Key]
	if exists && old.GetUID() != delta.Object.GetUID() {
		gone := Event[T]{Type: Deleted, Key: delta.Key, Object: old, FinalStateUnknown: true}
		events, exists = append(events, gone), false
	}
	event := Event[T]{Key: delta.Key, Object: delta.Object}
	switch {
	case delta.Type == DeltaDeleted:
		event.Type, event.FinalStateUnknown = Deleted, delta.FinalStateUnknown
		if !exists {
			return events
		}
	case !exists:
		event.Type = Added
	case sameVersion(old, delta.Object):
		return events
	default:
		event.Type, event.Old = Updated, old
	}
	return append(events, event)
}

func sameVersion[T Object](a, b T) bool {
	return a.GetResourceVersion() != "" && a.GetResourceVersion() == b.GetResourceVersion()
}

// storeLocked makes what an event says true.
func (i *Indexer[T]) storeLocked(event Event[T]) {
	if event.Type == Deleted {
		delete(i.objects, event.Key)
	} else {
		i.objects[event.Key] = event.Object
	}
	for _, table := range i.tables {
		table.remove(event.Key)
		if event.Type != Deleted {
			i.insertLocked(table, event.Key, event.Object)
		}
	}
}

// insertLocked indexes an object. One that an index cannot hold is reported and stays in the indexer.
func (i *Indexer[T]) insertLocked(table table[T], key types.NamespacedName, obj T) {
	if err := table.insert(key, obj); err != nil {
		i.onError(err)
	}
}
