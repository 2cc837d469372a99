package cache

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A NamespacedInformer is an [Informer] of several namespaces, which can be changed while it runs. It holds one [Indexer]
// for all of them, and a watch for each. Its resource version is one that all of the watches have reached. Create one with
// [NewNamespacedInformer].
type NamespacedInformer[T Object] struct {
	*Informer[T]

	open     func(namespace string) ListerWatcher[T]
	changing sync.Mutex
}

// NewNamespacedInformer returns an informer of the objects in the namespaces, none of which may be empty; without any it
// is synced as soon as it runs. open returns the source for a namespace, such as [FromClients] does.
func NewNamespacedInformer[T Object](
	open func(namespace string) ListerWatcher[T], namespaces []string, config Config, transforms ...Transform[T],
) (*NamespacedInformer[T], error) {
	i := &NamespacedInformer[T]{Informer: newInformer(config, transforms), open: open}
	return i, i.SetNamespaces(namespaces...)
}

// Namespaces returns the namespaces of which the informer has the objects, or is about to.
func (i *NamespacedInformer[T]) Namespaces() []string {
	var names []string
	for _, s := range i.scopesNow() {
		names = append(names, s.namespace)
	}
	return names
}

// StatusOf returns the status of the watch of one namespace, and whether there is one.
func (i *NamespacedInformer[T]) StatusOf(namespace string) (Status, bool) {
	for _, s := range i.scopesNow() {
		if s.namespace == namespace {
			return s.reflector.Status(), true
		}
	}
	return Status{}, false
}

// SetNamespaces makes the informer one of these namespaces. Those that stay are not disturbed. Subscribers are told that the
// objects of those that go are deleted, with an unknown final state. Nothing of what has gone is read any more when it
// returns; what has come takes its time, see [Informer.Ready].
func (i *NamespacedInformer[T]) SetNamespaces(namespaces ...string) error {
	if slices.Contains(namespaces, metav1.NamespaceAll) {
		return fmt.Errorf("cache: informer %q: %w", i.config.Name, errAllNamespaces)
	}
	i.changing.Lock()
	defer i.changing.Unlock()
	for _, s := range i.scopesNow() {
		if !slices.Contains(namespaces, s.namespace) {
			i.remove(s)
		}
	}
	for _, namespace := range namespaces {
		if !slices.Contains(i.Namespaces(), namespace) {
			i.add(newScope(i.Informer, namespace, i.open(namespace)))
		}
	}
	return nil
}

var errAllNamespaces = errors.New(`one of the namespaces is empty; for all namespaces use NewInformer`)

func (i *Informer[T]) add(s *scope[T]) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.writing.Lock()
	i.scopes = append(slices.Clip(i.scopes), s)
	i.writing.Unlock()
	if i.state == running {
		s.start(i.ctx)
	}
}

// remove stops a scope and forgets what it has read.
func (i *Informer[T]) remove(s *scope[T]) {
	i.mu.Lock()
	s.removed = true // Run may be about to start it
	i.mu.Unlock()
	s.stop()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.writing.Lock()
	defer i.writing.Unlock()
	i.scopes = slices.DeleteFunc(slices.Clone(i.scopes), func(other *scope[T]) bool { return other == s })
	i.quarantine.retain(nil, func(key types.NamespacedName) bool { return key.Namespace != s.namespace })
	// A resync that the scope was to pass on is passed on here.
	i.apply(Batch[T]{Replaced: true, Namespace: s.namespace, AnyVersion: true, ResourceVersion: i.oldestVersion(), Resync: true})
}
