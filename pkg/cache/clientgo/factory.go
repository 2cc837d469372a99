package clientgo

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// A Factory is what generated SharedInformerFactories have in common. F is the type of their NewInformerFunc.
type Factory[F any] interface {
	InformerFor(obj runtime.Object, newFunc F) cache.SharedIndexInformer
}

// Use makes a SharedInformerFactory, kubernetes' own or a generated one, build its informer of exampleObject's type here. All
// that the factory hands out for the type then runs on it: informers, listers, and the generic ones. C is the type of the
// factory's clients; the compiler finds the types out.
//
// source returns what the informer reads from; see [FromClient]. It has to respect the namespace and the list options that the
// factory was made with, which it does not tell. It must not call the factory.
//
// The resync period is the factory's, whatever options say, and so is the transform. Options without indexers mean the one by
// namespace, which listers ask for.
//
// It returns an error when the factory has an informer of the type already: call Use before anything else.
func Use[C any, F ~func(C, time.Duration) cache.SharedIndexInformer](
	factory Factory[F], exampleObject runtime.Object, source func(client C) cache.ListerWatcher,
	options cache.SharedIndexInformerOptions,
) error {
	if options.Indexers == nil {
		options.Indexers = cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}
	}
	built := false
	factory.InformerFor(exampleObject, func(client C, resync time.Duration) cache.SharedIndexInformer {
		built, options.ResyncPeriod = true, resync
		return NewSharedIndexInformerWithOptions(source(client), exampleObject, options)
	})
	if !built {
		return fmt.Errorf("clientgo: the factory has an informer of %T already", exampleObject)
	}
	return nil
}

// A Client is the part of a typed client that [FromClient] needs. L is the type of its lists.
type Client[L runtime.Object] interface {
	List(ctx context.Context, options metav1.ListOptions) (L, error)
	Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
}

// FromClient returns a ListerWatcher that reads through a typed client, for instance clientset.CoreV1().Pods("").
func FromClient[L runtime.Object](client Client[L]) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return client.List(ctx, options)
		},
		WatchFuncWithContext: client.Watch,
	}
}
