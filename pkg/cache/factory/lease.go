package factory

import (
	"context"
	"fmt"
	"sync"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// A Lease holds an informer of a [Factory] until it is released. The informer may be used meanwhile, by all its methods but
// Run, and given to controllers. Its methods may be called concurrently.
type Lease[T cache.Object] struct {
	*cache.Informer[T]

	factory *Factory
	entry   *entry
	given   sync.Once // back
}

// Identity says which informer it is.
func (l *Lease[T]) Identity() Identity { return l.entry.id }

// Release gives the informer back. If nobody else holds it, it is stopped, its subscriptions end, and Release returns when
// nothing of it runs any more, so that a handler of the informer must not call it. If others do, the subscriptions that
// were made with this lease go on: end those first, as controllers do. Releasing again does nothing but wait as long.
func (l *Lease[T]) Release() {
	l.given.Do(func() { l.factory.release(l.entry) })
	if l.entry.removed.Load() {
		<-l.entry.done
	}
}

// Run holds the lease until the context is done, and releases it. So a lease can be run beside what reads it, and is held
// longest if it comes first: controller.Run(ctx, lease, controller). The informer is run by the factory, whether or not this
// is called. It returns nil, or [cache.ErrStopped] if the cluster was stopped before.
func (l *Lease[T]) Run(ctx context.Context) error {
	defer l.Release()
	select {
	case <-ctx.Done():
	case <-l.entry.done:
	}
	if ctx.Err() == nil && l.entry.cluster.isStopped() {
		return fmt.Errorf("factory: informer %q: %w", l.entry.id, cache.ErrStopped)
	}
	return nil
}

func (f *Factory) release(e *entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e.leases--
	if e.leases == 0 {
		f.removeLocked(e)
	}
}
