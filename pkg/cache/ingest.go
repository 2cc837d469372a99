package cache

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
)

// ingest is the way of an object from the reflector into the [DeltaFIFO]: through the transforms. A transform that fails
// keeps the object in that version out of the cache, in quarantine, and does nothing else: the version before stays.
type ingest[T Object] struct {
	fifo       *DeltaFIFO[T]
	transforms []Transform[T]
	quarantine *quarantine
}

// Add implements [Sink].
func (i *ingest[T]) Add(obj T) { i.pass(obj, i.fifo.Add) }

// Update implements [Sink].
func (i *ingest[T]) Update(obj T) { i.pass(obj, i.fifo.Update) }

func (i *ingest[T]) pass(obj T, next func(T)) {
	usable, err := i.transform(obj)
	if err != nil {
		i.isolate(obj, err)
		i.fifo.Bookmark(obj.GetResourceVersion())
		return
	}
	i.quarantine.remove("", keyOf(obj))
	next(usable)
}

// Delete implements [Sink]. A deletion always goes on; without a usable final state the cached one has to do.
func (i *ingest[T]) Delete(obj T) {
	delta := Delta[T]{Type: DeltaDeleted, Object: obj}
	if usable, err := i.transform(obj); err == nil {
		delta.Object = usable
	} else {
		delta.FinalStateUnknown = true
	}
	i.quarantine.remove("", keyOf(obj))
	i.fifo.push(delta)
}

// Replace implements [Sink]. For an object that can't be transformed, the version that is cached takes part.
func (i *ingest[T]) Replace(items []T, resourceVersion string) {
	if len(i.transforms) > 0 {
		items = i.usable(items)
	}
	i.fifo.Replace(items, resourceVersion)
}

// Bookmark implements [Sink].
func (i *ingest[T]) Bookmark(resourceVersion string) { i.fifo.Bookmark(resourceVersion) }

func (i *ingest[T]) usable(items []T) []T {
	failed := make(map[types.NamespacedName]struct{})
	usable := make([]T, 0, len(items))
	for _, item := range items {
		if transformed, err := i.transform(item); err == nil {
			usable = append(usable, transformed)
			continue
		} else {
			i.isolate(item, err)
		}
		failed[keyOf(item)] = struct{}{}
		if cached, ok := i.fifo.known.Get(keyOf(item)); ok && cached.GetUID() == item.GetUID() {
			usable = append(usable, cached)
		}
	}
	i.quarantine.retain("", func(key types.NamespacedName) bool { _, ok := failed[key]; return ok })
	return usable
}

func (i *ingest[T]) isolate(obj T, err error) {
	i.quarantine.add(Quarantined{Key: keyOf(obj), ResourceVersion: obj.GetResourceVersion(), Err: err})
}

var errIdentity = errors.New("transform: it returned nothing, or another namespace, name, UID or resource version")

// transform applies all transforms. A panic is an error.
func (i *ingest[T]) transform(obj T) (result T, err error) {
	if len(i.transforms) == 0 {
		return obj, nil
	}
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("transform: panic: %v", cause)
		}
	}()
	before := identityOf(obj)
	for _, transform := range i.transforms {
		if obj, err = transform(obj); err != nil {
			return obj, fmt.Errorf("transform: %w", err)
		}
	}
	if after := identityOf(obj); after != before { // panics for nil
		return obj, errIdentity
	}
	return obj, nil
}

type identity struct {
	key     types.NamespacedName
	uid     types.UID
	version string
}

func identityOf[T Object](obj T) identity {
	return identity{keyOf(obj), obj.GetUID(), obj.GetResourceVersion()}
}
