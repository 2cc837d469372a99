package clientgo

import (
	"fmt"
	"iter"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/cache"

	engine "github.com/sluice-k8s/sluice/pkg/cache"
)

// IndexerOf returns what generated listers read from, Kubernetes' own and others, over the objects of an informer:
//
//	pods := listers.NewPodLister(clientgo.IndexerOf(informer.Indexer()))
//
// It holds nothing: each call reads the latest snapshot, and copies no more than the slice that it returns. Nothing can be
// written to it: Add, Update, Delete, Replace and AddIndexers return [ErrReadOnly], Bookmark and Resync do nothing. Its only
// index is that by namespace; others are typed, see [engine.AddIndex]. Its methods may be called concurrently.
func IndexerOf[T engine.Object](indexer *engine.Indexer[T]) cache.Indexer { return &view[T]{indexer} }

// A view is an indexer as client-go sees it.
type view[T engine.Object] struct{ indexer *engine.Indexer[T] }

// Get returns the object with the namespace and name of obj.
func (v *view[T]) Get(obj any) (item any, exists bool, err error) {
	key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(obj)
	if err != nil {
		return nil, false, cache.KeyError{Obj: obj, Err: err}
	}
	return v.GetByKey(key)
}

// GetByKey returns the object with the key, which is "namespace/name" or "name".
func (v *view[T]) GetByKey(key string) (item any, exists bool, err error) {
	obj, exists := v.indexer.Get(parseKey(key))
	if !exists {
		return nil, false, nil
	}
	return obj, true, nil
}

// List returns all objects.
func (v *view[T]) List() []any {
	snapshot := v.indexer.Snapshot()
	list := make([]any, 0, snapshot.Len())
	for chunk := range snapshot.Chunks() {
		for _, obj := range chunk {
			list = append(list, obj)
		}
	}
	return list
}

// ListKeys returns the keys of all objects.
func (v *view[T]) ListKeys() []string {
	snapshot := v.indexer.Snapshot()
	return keysOf(snapshot.All(), snapshot.Len())
}

// Index returns the objects in the namespace of obj.
func (v *view[T]) Index(name string, obj any) ([]any, error) {
	about, err := meta.Accessor(obj)
	if err != nil {
		return nil, err
	}
	return v.ByIndex(name, about.GetNamespace())
}

// ByIndex returns the objects in the namespace.
func (v *view[T]) ByIndex(name, namespace string) ([]any, error) {
	if err := onlyNamespaces(name); err != nil {
		return nil, err
	}
	found := []any{}
	for obj := range v.indexer.InNamespace(namespace) {
		found = append(found, obj)
	}
	return found, nil
}

// IndexKeys returns the sorted keys of the objects in the namespace.
func (v *view[T]) IndexKeys(name, namespace string) ([]string, error) {
	if err := onlyNamespaces(name); err != nil {
		return nil, err
	}
	keys := keysOf(v.indexer.InNamespace(namespace), 0)
	slices.Sort(keys)
	return keys, nil
}

// ListIndexFuncValues returns the namespaces that have objects.
func (v *view[T]) ListIndexFuncValues(name string) []string {
	namespaces := []string{}
	if onlyNamespaces(name) != nil {
		return namespaces
	}
	seen := make(map[string]struct{})
	for obj := range v.indexer.All() {
		if _, twice := seen[obj.GetNamespace()]; !twice {
			seen[obj.GetNamespace()] = struct{}{}
			namespaces = append(namespaces, obj.GetNamespace())
		}
	}
	return namespaces
}

// GetIndexers returns the function of the index by namespace.
func (v *view[T]) GetIndexers() cache.Indexers {
	return cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}
}

// LastStoreSyncResourceVersion returns the version of the latest snapshot.
func (v *view[T]) LastStoreSyncResourceVersion() string { return v.indexer.ResourceVersion() }

func (v *view[T]) Add(any) error                    { return ErrReadOnly }
func (v *view[T]) Update(any) error                 { return ErrReadOnly }
func (v *view[T]) Delete(any) error                 { return ErrReadOnly }
func (v *view[T]) Replace([]any, string) error      { return ErrReadOnly }
func (v *view[T]) AddIndexers(cache.Indexers) error { return ErrReadOnly }
func (v *view[T]) Bookmark(string)                  {}
func (v *view[T]) Resync() error                    { return nil }

func onlyNamespaces(name string) error {
	if name != cache.NamespaceIndex {
		return fmt.Errorf("Index with name %s does not exist", name) // what client-go says
	}
	return nil
}

func keysOf[T engine.Object](objects iter.Seq[T], count int) []string {
	keys, joined := make([]string, 0, count), joiner{left: count}
	for obj := range objects {
		keys = append(keys, joined.join(engine.KeyOf(obj)))
	}
	return keys
}
