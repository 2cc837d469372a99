package cache

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/store"
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
	i.quarantine.remove(nil, KeyOf(usable))
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
	i.quarantine.remove(nil, KeyOf(delta.Object))
	i.fifo.push(delta)
}

// Replace implements [Sink]. Of an object that can't be transformed, the version that is cached stays.
func (i *ingest[T]) Replace(items []T, resourceVersion string) {
	var kept []Identity
	if len(i.transforms) > 0 {
		items, kept = i.usable(items)
	}
	i.fifo.replace(items, kept, resourceVersion)
}

// Bookmark implements [Sink].
func (i *ingest[T]) Bookmark(resourceVersion string) { i.fifo.Bookmark(resourceVersion) }

// usable returns the transformed items, and what those are that can't be.
func (i *ingest[T]) usable(items []T) (usable []T, kept []Identity) {
	failed := make(map[types.NamespacedName]struct{})
	usable = make([]T, 0, len(items))
	for _, item := range items {
		transformed, err := i.transform(item)
		if err == nil {
			usable = append(usable, transformed)
			continue
		}
		i.isolate(item, err)
		failed[KeyOf(item)] = struct{}{}
		kept = append(kept, IdentityOf(item))
	}
	i.quarantine.retain(nil, func(key types.NamespacedName) bool { _, ok := failed[key]; return ok })
	return usable, kept
}

func (i *ingest[T]) isolate(obj T, err error) {
	i.quarantine.add(nil, Quarantined{Key: KeyOf(obj), ResourceVersion: obj.GetResourceVersion(), Err: err})
}

var errIdentity = errors.New("transform: it returned nothing, or another namespace, name, UID or resource version")

// transform applies all transforms. A panic is an error. After an error obj is what it was, as far as its identity goes.
func (i *ingest[T]) transform(obj T) (result T, err error) {
	if len(i.transforms) == 0 {
		return obj, nil
	}
	before := IdentityOf(obj)
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("transform: %w", store.PanicError(cause))
		}
		if err != nil {
			restore(obj, before)
		}
	}()
	result = obj
	for _, transform := range i.transforms {
		if result, err = transform(result); err != nil {
			return result, fmt.Errorf("transform: %w", err)
		}
	}
	if IdentityOf(result) != before { // panics for nil
		return result, errIdentity
	}
	return result, nil
}

func restore[T Object](obj T, id Identity) {
	obj.SetNamespace(id.Key.Namespace)
	obj.SetName(id.Key.Name)
	obj.SetUID(id.UID)
	obj.SetResourceVersion(id.ResourceVersion)
}
