package cache

import (
	"context"

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
