package clientgo

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	engine "github.com/sluice-k8s/sluice/pkg/cache"
)

// A source reads from a ListerWatcher of client-go.
type source struct {
	from cache.ListerWatcherWithContext

	// Watches have to bring objects of this type and kind. Nil and empty mean any.
	wantType reflect.Type
	wantKind schema.GroupVersionKind

	mu      sync.Mutex
	version string // last read
}

var (
	_ engine.ListerWatcher[*object] = (*source)(nil)
	_ engine.Converter[*object]     = (*source)(nil)
)

// newSource returns a source of objects like the example, or of any if that is nil.
func newSource(from cache.ListerWatcher, example runtime.Object) *source {
	s := &source{from: cache.ToListerWatcherWithContext(from)}
	if example != nil {
		s.wantType = reflect.TypeOf(example)
	}
	if example, ok := example.(*unstructured.Unstructured); ok {
		s.wantKind = example.GroupVersionKind()
	}
	return s
}

// List implements [engine.ListerWatcher].
func (s *source) List(ctx context.Context, opts metav1.ListOptions) (engine.Page[*object], error) {
	list, err := s.from.ListWithContext(ctx, opts)
	if err != nil {
		return engine.Page[*object]{}, err
	}
	page, err := pageOf(list)
	if err != nil {
		return engine.Page[*object]{}, fmt.Errorf("read a %T: %w", list, err)
	}
	s.reached(page.ResourceVersion)
	return page, nil
}

func pageOf(list runtime.Object) (engine.Page[*object], error) {
	about, err := meta.ListAccessor(list)
	if err != nil {
		return engine.Page[*object]{}, err
	}
	page := engine.Page[*object]{
		Items:           make([]*object, 0, meta.LenList(list)),
		ResourceVersion: about.GetResourceVersion(),
		Continue:        about.GetContinue(),
	}
	// With alloc: an object that stays cached must not keep the whole page alive.
	err = meta.EachListItemWithAlloc(list, func(item runtime.Object) error {
		accessor, err := meta.Accessor(item)
		if err == nil {
			page.Items = append(page.Items, fromServer(accessor, item))
		}
		return err
	})
	return page, err
}

// Watch implements [engine.ListerWatcher].
func (s *source) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	events, err := s.from.WatchWithContext(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &stream{Interface: events}, nil
}

// Convert implements [engine.Converter].
func (s *source) Convert(obj runtime.Object) (*object, error) {
	if s.wantType != nil && reflect.TypeOf(obj) != s.wantType {
		return nil, fmt.Errorf("a %T, expected a %s", obj, s.wantType)
	}
	if !s.wantKind.Empty() && obj.GetObjectKind().GroupVersionKind() != s.wantKind {
		return nil, fmt.Errorf("a %s, expected a %s", obj.GetObjectKind().GroupVersionKind(), s.wantKind)
	}
	accessor, err := meta.Accessor(obj)
	if err != nil {
		return nil, fmt.Errorf("a %T: %w", obj, err)
	}
	s.reached(accessor.GetResourceVersion())
	return fromServer(accessor, obj), nil
}

func (s *source) reached(version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if version != "" {
		s.version = version
	}
}

// lastVersion returns the version of what was read last. It is empty before the first list.
func (s *source) lastVersion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// A stream is a watch whose channel is closed from Stop on. Not every watch.Interface does that, and client-go does not ask
// for it.
type stream struct {
	watch.Interface

	stopped chan watch.Event
}

func (s *stream) ResultChan() <-chan watch.Event {
	if s.stopped != nil {
		return s.stopped
	}
	return s.Interface.ResultChan()
}

func (s *stream) Stop() {
	s.Interface.Stop()
	s.stopped = make(chan watch.Event)
	close(s.stopped)
}
