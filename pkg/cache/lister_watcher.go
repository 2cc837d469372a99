package cache

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// A ListerWatcher reads objects of one kind from an API server. Both methods must return soon after the context is done.
type ListerWatcher[T Object] interface {
	// List returns one page of objects. It honours Limit and Continue of the options.
	List(ctx context.Context, opts metav1.ListOptions) (Page[T], error)
	// Watch streams changes until the context is done or the server ends the stream. Stop of the stream must close its
	// channel.
	Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error)
}

// A Converter is a [ListerWatcher] whose watches bring other objects than those that are to be cached.
type Converter[T Object] interface {
	// Convert returns what is to be cached of a watch event's object, for a bookmark what has its resource version. An event
	// for which it returns an error is skipped.
	Convert(obj runtime.Object) (T, error)
}

// A Page is what one list request returned.
type Page[T Object] struct {
	Items           []T
	ResourceVersion string
	Continue        string // token of the next page, empty on the last
}

// A Client is the part of a typed client, generated or of client-go, that [FromClient] needs: T is the object's pointer
// type, L that of its list. Get is not called; it tells the compiler what T is. Dynamic and metadata clients have another
// Get and need a [ListerWatcher] of their own.
type Client[T Object, L runtime.Object] interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (T, error)
	List(ctx context.Context, opts metav1.ListOptions) (L, error)
	Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error)
}

// FromClient returns a ListerWatcher that reads through a typed client, for instance clientset.CoreV1().Pods("").
func FromClient[T Object, L runtime.Object](client Client[T, L]) ListerWatcher[T] {
	return clientListerWatcher[T, L]{client}
}

type clientListerWatcher[T Object, L runtime.Object] struct{ client Client[T, L] }

func (c clientListerWatcher[T, L]) List(ctx context.Context, opts metav1.ListOptions) (Page[T], error) {
	list, err := c.client.List(ctx, opts)
	if err != nil {
		return Page[T]{}, err
	}
	listMeta, err := meta.ListAccessor(list)
	if err != nil {
		return Page[T]{}, fmt.Errorf("read the metadata of a %T: %w", list, err)
	}
	items := make([]T, 0, meta.LenList(list))
	// With alloc: an object that stays cached must not keep the whole page alive.
	err = meta.EachListItemWithAlloc(list, func(item runtime.Object) error {
		object, ok := item.(T)
		if !ok {
			return fmt.Errorf("a %T holds a %T, expected a %T", list, item, object)
		}
		items = append(items, object)
		return nil
	})
	if err != nil {
		return Page[T]{}, err
	}
	return Page[T]{Items: items, ResourceVersion: listMeta.GetResourceVersion(), Continue: listMeta.GetContinue()}, nil
}

func (c clientListerWatcher[T, L]) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	return c.client.Watch(ctx, opts)
}
