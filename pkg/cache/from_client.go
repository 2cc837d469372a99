package cache

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
)

// A Client is the part of a typed client, generated or of client-go, that [FromClient] needs: T is the object's pointer
// type, L that of its list. Get is not called; it tells the compiler what T is. Dynamic and metadata clients have another
// Get: see [FromDynamic] and [FromMetadata].
type Client[T Object, L runtime.Object] interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (T, error)
	ListClient[L]
}

// A ListClient is the part of a client that is read from. L is the type of the lists.
type ListClient[L runtime.Object] interface {
	List(ctx context.Context, opts metav1.ListOptions) (L, error)
	Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error)
}

// FromClient returns a source that reads through a typed client, for instance clientset.CoreV1().Pods("").
//
// Of a client that stands on a REST client, as those of client-go and generated ones do, it is a [RESTSource]. The name of
// the resource is then asked of the server, with one request before the first list; see [FromREST] to save it, and for
// options. A kind that the server does not have is an error like any other refused list, and asked for again. A fake client,
// or one that wraps another, is read from with its own List and Watch.
func FromClient[T Object, L runtime.Object](client Client[T, L]) ListerWatcher[T] {
	return fromClient(client, resourceOf(goKind[T]()))
}

// FromClients returns a function that opens a source for a namespace, or for an empty one for all, from what opens a client:
// clientset.CoreV1().Pods, for instance. Its sources are what [FromClient] returns; together they ask once for the resource.
func FromClients[T Object, L runtime.Object, C Client[T, L]](open func(namespace string) C) func(namespace string) ListerWatcher[T] {
	resource := resourceOf(goKind[T]())
	return func(namespace string) ListerWatcher[T] { return fromClient[T, L](open(namespace), resource) }
}

func fromClient[T Object, L runtime.Object](client Client[T, L], resource *resource) ListerWatcher[T] {
	backed, ok := client.(restClient)
	if !ok || isNil(backed.GetClient()) {
		return listerWatcher[T, L]{client}
	}
	return &RESTSource[T]{backed.GetClient(), resource, RESTOptions{Namespace: backed.GetNamespace()}, planOf[T]()}
}

// A restClient is what typed clients tell that are built on package gentype of client-go.
type restClient interface {
	GetClient() rest.Interface
	GetNamespace() string
}

func isNil(client rest.Interface) bool {
	concrete, ok := client.(*rest.RESTClient)
	return client == nil || ok && concrete == nil
}

// A listerWatcher reads through a client's own methods.
type listerWatcher[T Object, L runtime.Object] struct{ client ListClient[L] }

func (c listerWatcher[T, L]) List(ctx context.Context, opts metav1.ListOptions) (Page[T], error) {
	list, err := c.client.List(ctx, opts)
	if err != nil {
		return Page[T]{}, explained(err)
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

func (c listerWatcher[T, L]) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	events, err := c.client.Watch(ctx, opts)
	return events, explained(err)
}

// explained says what it probably means that the server does not find what is listed.
func explained(err error) error {
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("no such resource: is the CRD installed?: %w", err)
	}
	return err
}
