package cache

import (
	"errors"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/store"
)

// ingest is the way of an object from the reflector into the [DeltaFIFO]: through the transforms. A transform that fails
// keeps the object in that version out of the cache, in quarantine, and does nothing else: the version before stays.
type ingest[T Object] struct {
	fifo       *DeltaFIFO[T]
	transforms []Transform[T]
	quarantine *quarantine
	namespace  string // of which the objects are; empty for all
}

// Add implements [Sink].
func (i *ingest[T]) Add(obj T) { i.pass(obj, i.fifo.Add) }

// Update implements [Sink].
func (i *ingest[T]) Update(obj T) { i.pass(obj, i.fifo.Update) }

func (i *ingest[T]) pass(obj T, next func(T)) {
	usable, err := i.usable(obj)
	if err != nil {
		i.isolate(IdentityOf(obj), err)
		i.fifo.Bookmark(obj.GetResourceVersion())
		return
	}
	i.quarantine.remove(nil, KeyOf(usable))
	next(usable)
}

// Delete implements [Sink]. A deletion always goes on; without a usable final state the cached one has to do.
func (i *ingest[T]) Delete(obj T) {
	delta := Delta[T]{Type: DeltaDeleted, Object: obj}
	if usable, err := i.usable(obj); err == nil {
		delta.Object = usable
	} else {
		delta.FinalStateUnknown = true
	}
	i.quarantine.remove(nil, KeyOf(delta.Object))
	i.fifo.push(delta)
}

// Replace implements [Sink]. Of an object that can't be used, the version that is cached stays.
func (i *ingest[T]) Replace(state State[T]) {
	u := usables[T]{ingest: i, items: state.Items}
	if !state.prepared {
		u.addAll(state.Items)
	}
	for _, err := range state.Undecodable {
		u.isolate(err.Identity, err.Err)
	}
	i.quarantine.retain(nil, func(key types.NamespacedName) bool {
		_, ok := u.failed[key]
		return ok || i.namespace != "" && key.Namespace != i.namespace
	})
	state.Items = u.items
	i.fifo.replace(state, u.kept)
}

// Isolate implements [Sink].
func (i *ingest[T]) Isolate(change *UndecodableError) {
	if change.Type == watch.Deleted {
		i.quarantine.remove(nil, change.Key)
		i.fifo.push(Delta[T]{Type: DeltaDeleted, Object: placeholder[T](change.Identity), FinalStateUnknown: true})
		return
	}
	i.isolate(change.Identity, change.Err)
	i.fifo.Bookmark(change.ResourceVersion)
}

// Get implements [Known]: the Reflector need not decode what is cached.
func (i *ingest[T]) Get(key types.NamespacedName) (T, bool) { return i.fifo.known.Get(key) }

// Bookmark implements [Sink].
func (i *ingest[T]) Bookmark(resourceVersion string) { i.fifo.Bookmark(resourceVersion) }

// usables are the objects of a list that can be used, and what there is to know of the others.
type usables[T Object] struct {
	ingest *ingest[T]
	items  []T
	kept   []Identity
	failed map[types.NamespacedName]struct{}
}

// addAll adds the items in the place of what it has.
func (u *usables[T]) addAll(items []T) {
	u.items = items[:0]
	for _, item := range items {
		u.add(item)
	}
	clear(items[len(u.items):])
}

func (u *usables[T]) add(item T) {
	usable, err := u.ingest.usable(item)
	if err != nil {
		u.isolate(IdentityOf(item), err)
		return
	}
	u.items = append(u.items, usable)
}

func (u *usables[T]) isolate(id Identity, err error) {
	u.ingest.isolate(id, err)
	if u.failed == nil {
		u.failed = make(map[types.NamespacedName]struct{})
	}
	u.failed[id.Key] = struct{}{}
	u.kept = append(u.kept, id)
}

// usable implements [preparer]: it returns what is to be cached of an object. One that comes from the cache is that already.
func (i *ingest[T]) usable(obj T) (T, error) {
	if len(i.transforms) == 0 {
		return obj, nil
	}
	if cached, ok := i.Get(KeyOf(obj)); ok && cached == obj {
		return obj, nil
	}
	return i.transform(obj)
}

func (i *ingest[T]) isolate(id Identity, err error) {
	i.quarantine.add(nil, Quarantined{Key: id.Key, ResourceVersion: id.ResourceVersion, Err: err})
}

// placeholder returns an object that has an identity and nothing else.
func placeholder[T Object](id Identity) T {
	obj := reflect.New(reflect.TypeFor[T]().Elem()).Interface().(T) //nolint:forcetypeassert // T is a pointer type
	restore(obj, id)
	return obj
}

var errIdentity = errors.New("transform: it returned nothing, or another namespace, name, UID or resource version")

// transform applies all transforms. A panic is an error. After an error obj is what it was, as far as its identity goes.
func (i *ingest[T]) transform(obj T) (result T, err error) {
	before := IdentityOf(obj)
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("transform: %w", store.Panicked(cause))
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
