package factory

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// An entry is an informer that somebody holds.
type entry struct {
	id         Identity
	cluster    *Cluster
	shape      shape
	informer   informer
	objects    func() int
	namespaces func() []string                  // those that are read; nil means all, or one
	rescope    func(namespaces ...string) error // of one that reads some; else nil

	leases  int                // guarded by Factory.mu
	cancel  context.CancelFunc // nil until it runs; guarded by Factory.mu
	removed atomic.Bool        // set before it is stopped, unless the factory is
	done    chan struct{}      // closed when nothing of it runs any more
}

func newEntry[T cache.Object](i *cache.Informer[T]) *entry {
	return &entry{informer: i, objects: i.Indexer().Len, done: make(chan struct{})}
}

// detach makes its scope forget it.
func (e *entry) detach() {
	if e.shape.scope != nil {
		e.shape.scope.leave(e)
	}
}

// A shape is what can be told of options that are not in the [Identity].
type shape struct {
	scope      *Scope
	transforms int  // how many
	tweaked    bool // by Options.ListOptions
}

// conflict says what contradicts in what two ask for, empty if nothing does.
func (s shape) conflict(other shape) string {
	switch {
	case s.scope != other.scope:
		return "Options.Scope is another of the same name"
	case s.transforms != other.transforms:
		return fmt.Sprintf("it has %d transforms, not %d; set another Options.Variant", s.transforms, other.transforms)
	case s.tweaked != other.tweaked:
		return "only one of those who ask sets Options.ListOptions; set another Options.Variant"
	}
	return ""
}

// An informer is a *[cache.Informer] of any type.
type informer interface {
	Run(ctx context.Context) error
	WaitForSync(ctx context.Context) error
	HasSynced() bool
	Ready() error
	Status() cache.Status
	Subscriptions() []cache.SubscriptionStatus
}
