package clientgo

import (
	"cmp"
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// watchErrors tell a handler of client-go what went wrong with requests.
//
// Such a handler gets a Reflector, and asks it for its name, its type, and its version. There is none, so that they keep one
// of client-go's: each time, it is made to list nothing at the version that the engine is at.
type watchErrors struct {
	source    *source
	reflector *cache.Reflector
	handler   cache.WatchErrorHandlerWithContext // set before the informer runs; nil is client-go's default
}

func newWatchErrors(name, description string, example runtime.Object, source *source) *watchErrors {
	reflector := cache.NewReflectorWithOptions(nothing{source}, example, nowhere{}, cache.ReflectorOptions{
		Name:            cmp.Or(name, typeName(example)),
		TypeDescription: description,
	})
	return &watchErrors{source: source, reflector: reflector}
}

// report is called by one goroutine.
func (w *watchErrors) report(ctx context.Context, err error) {
	if w.source.lastVersion() != "" {
		// The error is that there is nothing to watch.
		_ = w.reflector.ListAndWatchWithContext(klog.NewContext(ctx, klog.Logger{}))
	}
	if w.handler == nil {
		cache.DefaultWatchErrorHandler(ctx, w.reflector, err)
		return
	}
	w.handler(ctx, w.reflector, err)
}

// nothing is a ListerWatcher that lists nothing at the version of a source, and has nothing to watch.
type nothing struct{ source *source }

func (n nothing) List(metav1.ListOptions) (runtime.Object, error) {
	return &metav1.List{ListMeta: metav1.ListMeta{ResourceVersion: n.source.lastVersion()}}, nil
}

func (nothing) Watch(metav1.ListOptions) (watch.Interface, error) {
	return nil, errors.New("there is nothing to watch")
}

// IsWatchListSemanticsUnSupported makes a Reflector list.
func (nothing) IsWatchListSemanticsUnSupported() bool { return true }

// nowhere is a store that keeps nothing.
type nowhere struct{}

func (nowhere) Add(any) error               { return nil }
func (nowhere) Update(any) error            { return nil }
func (nowhere) Delete(any) error            { return nil }
func (nowhere) Replace([]any, string) error { return nil }
func (nowhere) Resync() error               { return nil }
