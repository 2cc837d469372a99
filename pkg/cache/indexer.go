package cache

import (
	"context"
	"iter"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/store"
)

// An Indexer holds the objects of one kind by key and by any number of secondary indexes (see [AddIndex]).
//
// Each read runs on an immutable [Snapshot]: it takes no lock, copies no objects and never holds up a writer. Changes are
// transactions that are seen as a whole or not at all. All methods may be called concurrently. Create one with
// [NewIndexer].
type Indexer[T Object] struct {
	store      *store.Store[types.NamespacedName, T]
	namespaces *Index[T, string]
	quarantine *quarantine
	waiters    waiters
	refused    atomic.Int64
	unchanged  bool // see Config.NotifyUnchanged

	// outlived has the keys of objects that are cached in a version of an epoch before. Only transactions use it.
	outlived map[types.NamespacedName]struct{}
}

// NewIndexer returns an empty Indexer.
func NewIndexer[T Object]() *Indexer[T] { return newIndexer[T](newQuarantine(nil)) }

func newIndexer[T Object](quarantine *quarantine) *Indexer[T] {
	i := &Indexer[T]{store: store.New(KeyOf[T], textOf), quarantine: quarantine}
	i.namespaces = newIndex(i, "namespace", indexConfig[T, string]{
		Values: func(obj T) ([]string, error) { return []string{obj.GetNamespace()}, nil },
		OfKey:  true,
	})
	return i
}

// Snapshot returns the content as it is now.
func (i *Indexer[T]) Snapshot() Snapshot[T] { return Snapshot[T]{i.store.Snapshot(), i} }

// Get returns the object with the key, and whether there is one.
func (i *Indexer[T]) Get(key types.NamespacedName) (T, bool) { return i.store.Get(key) }

// All yields the objects that exist when All is called, in no particular order.
func (i *Indexer[T]) All() iter.Seq[T] { return i.Snapshot().All() }

// InNamespace yields the objects of a namespace that exist when it is called, in no particular order.
func (i *Indexer[T]) InNamespace(namespace string) iter.Seq[T] {
	return i.namespaces.Lookup(namespace)
}

// Len returns the number of objects.
func (i *Indexer[T]) Len() int { return i.store.Snapshot().Len() }

// ResourceVersion returns the version of the last batch applied: the Indexer holds what the server held then. It is empty
// before the first.
func (i *Indexer[T]) ResourceVersion() string { return i.store.Snapshot().Version() }

// WaitUntil waits until the content is not older than the resource version, such as the one that a write has returned: then
// reads see that write. It returns the context's error, [ErrNewEpoch] when the server's versions have gone back, so
// that waiting makes no sense, [ErrStopped] when the informer has ended, and an error for a version that can't be compared.
func (i *Indexer[T]) WaitUntil(ctx context.Context, resourceVersion string) error {
	return i.waiters.wait(ctx, resourceVersion, i.ResourceVersion)
}

// Quarantined returns the objects that an index does not hold, or that could not be transformed, ordered by index and key.
func (i *Indexer[T]) Quarantined() []Quarantined { return i.quarantine.list() }

// Refused returns how many deltas were not applied because they were older than the object they were about.
func (i *Indexer[T]) Refused() int { return int(i.refused.Load()) }
