package controller

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// A Source adds keys to a controller's queue.
type Source[K comparable] interface {
	// Subscribe begins to call add, from any goroutine, until the subscription is closed. The name is the controller's.
	Subscribe(name string, add func(K)) Subscription
}

// A Subscription is a source at work for one controller. A [cache.Subscription] is one.
type Subscription interface {
	// WaitForSync waits until everything that existed at first has been added.
	WaitForSync(ctx context.Context) error
	// Close ends the subscription and waits until add is not called any more.
	Close()
}

// Watches returns a source that calls mapping with each event of the informer. The mapping adds the keys that the event
// makes worth a reconcile, any number of them. It must not block. An event for which it panics adds no key; the panic is
// logged and counted by the informer's subscription.
func Watches[T cache.Object, K comparable](
	informer *cache.Informer[T], mapping func(event cache.Event[T], add func(K)),
) Source[K] {
	return watches[T, K]{informer: informer, mapping: mapping}
}

// For returns a source that adds the key of each object that changes.
func For[T cache.Object](informer *cache.Informer[T]) Source[types.NamespacedName] {
	return Watches(informer, func(event cache.Event[T], add func(types.NamespacedName)) { add(event.Key) })
}

// Owns returns a source that adds the key of the controller, as the owner references tell, of each object that changes.
// The owner is of the given group and kind and in the object's namespace; for one that is cluster-scoped use [Watches].
// When the owner changes both are added.
func Owns[T cache.Object](informer *cache.Informer[T], owner schema.GroupKind) Source[types.NamespacedName] {
	return Watches(informer, func(event cache.Event[T], add func(types.NamespacedName)) {
		addController(event.Object, owner, add)
		if event.Type == cache.Updated {
			addController(event.Old, owner, add)
		}
	})
}

func addController(obj metav1.Object, owner schema.GroupKind, add func(types.NamespacedName)) {
	ref := metav1.GetControllerOfNoCopy(obj)
	if ref == nil || ref.Kind != owner.Kind {
		return
	}
	if gv, err := schema.ParseGroupVersion(ref.APIVersion); err == nil && gv.Group == owner.Group {
		add(types.NamespacedName{Namespace: obj.GetNamespace(), Name: ref.Name})
	}
}

type watches[T cache.Object, K comparable] struct {
	informer *cache.Informer[T]
	mapping  func(cache.Event[T], func(K))
}

func (w watches[T, K]) Subscribe(name string, add func(K)) Subscription {
	return w.informer.Subscribe(name, func(_ context.Context, event cache.Event[T]) { w.mapping(event, add) })
}
