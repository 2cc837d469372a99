package clientgo

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// NewSharedInformer is [NewSharedIndexInformerWithOptions] with a resync period and nothing else.
func NewSharedInformer(
	lw cache.ListerWatcher, exampleObject runtime.Object, defaultEventHandlerResyncPeriod time.Duration,
) cache.SharedInformer {
	return NewSharedIndexInformer(lw, exampleObject, defaultEventHandlerResyncPeriod, nil)
}

// NewSharedIndexInformer is [NewSharedIndexInformerWithOptions] with a resync period and indexers.
func NewSharedIndexInformer(
	lw cache.ListerWatcher, exampleObject runtime.Object, defaultEventHandlerResyncPeriod time.Duration, indexers cache.Indexers,
) cache.SharedIndexInformer {
	options := cache.SharedIndexInformerOptions{ResyncPeriod: defaultEventHandlerResyncPeriod, Indexers: indexers}
	return NewSharedIndexInformerWithOptions(lw, exampleObject, options)
}

// NewSharedIndexInformerWithOptions returns an informer that reads from lw. exampleObject has the type of the objects; nil is
// any. The informer does nothing until its Run. Its methods may be called concurrently.
//
// A resync period of zero in the options makes an informer that does no resyncs, whatever its handlers ask for. Without a
// metrics provider there are no metrics.
func NewSharedIndexInformerWithOptions(
	lw cache.ListerWatcher, exampleObject runtime.Object, options cache.SharedIndexInformerOptions,
) cache.SharedIndexInformer {
	name := "SharedIndexInformer " + typeName(exampleObject)
	return &sharedInformer{
		name: name,
		pipeline: newPipeline(lw, exampleObject, settings{
			name:        name,
			description: options.ObjectDescription,
			indexers:    options.Indexers,
			metrics:     newMetrics(options.Identifier, options.InformerMetricsProvider),
		}),
		resyncs: resyncs{standard: options.ResyncPeriod, shortest: options.ResyncPeriod},
	}
}

// A sharedInformer is an informer whose handlers come and go.
type sharedInformer struct {
	name     string
	pipeline *pipeline

	mu      sync.Mutex
	running context.Context // of Run, nil before
	resyncs resyncs
}

var _ cache.SharedIndexInformer = (*sharedInformer)(nil)

// Run is RunWithContext until the channel is closed.
func (i *sharedInformer) Run(stopCh <-chan struct{}) {
	i.RunWithContext(wait.ContextForChannel(stopCh))
}

// RunWithContext keeps the store up to date until the context is done, and returns when all handlers have. Called again, it
// returns at once.
func (i *sharedInformer) RunWithContext(ctx context.Context) {
	if !i.start(ctx) {
		klog.FromContext(ctx).Info("An informer can be run only once", "informer", i.name)
		return
	}
	i.pipeline.run(ctx)
}

// start says whether the informer has not started before.
func (i *sharedInformer) start(ctx context.Context) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.running != nil {
		return false
	}
	i.running = ctx
	return true
}

// IsStopped says whether the context of Run is done, so that the informer takes no more handlers and indexes. Run may still
// wait for handlers.
func (i *sharedInformer) IsStopped() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.stoppedLocked()
}

func (i *sharedInformer) stoppedLocked() bool { return i.running != nil && i.running.Err() != nil }

// HasSynced says whether the first list is in the store.
func (i *sharedInformer) HasSynced() bool { return i.pipeline.informer.HasSynced() }

// HasSyncedChecker is HasSynced for those who wait.
func (i *sharedInformer) HasSyncedChecker() cache.DoneChecker {
	return checker{i.name, i.pipeline.informer.Synced()}
}

// LastSyncResourceVersion returns the version that was read last. It may be ahead of the store's.
func (i *sharedInformer) LastSyncResourceVersion() string { return i.pipeline.source.lastVersion() }

// GetStore returns the objects.
func (i *sharedInformer) GetStore() cache.Store { return i.pipeline.indexer }

// GetIndexer returns the objects.
func (i *sharedInformer) GetIndexer() cache.Indexer { return i.pipeline.indexer }

// GetController returns what tells how the informer is. It runs nothing.
func (i *sharedInformer) GetController() cache.Controller { return idle{i} }

// AddIndexers adds indexes, unless the informer has stopped.
func (i *sharedInformer) AddIndexers(indexers cache.Indexers) error {
	if i.IsStopped() {
		return errIndexerLate
	}
	return i.pipeline.indexer.AddIndexers(indexers)
}

// AddEventHandler adds a handler with the informer's resync period.
func (i *sharedInformer) AddEventHandler(handler cache.ResourceEventHandler) (cache.ResourceEventHandlerRegistration, error) {
	return i.AddEventHandlerWithOptions(handler, cache.HandlerOptions{})
}

// AddEventHandlerWithResyncPeriod adds a handler with a resync period; zero is none.
func (i *sharedInformer) AddEventHandlerWithResyncPeriod(
	handler cache.ResourceEventHandler, period time.Duration,
) (cache.ResourceEventHandlerRegistration, error) {
	return i.AddEventHandlerWithOptions(handler, cache.HandlerOptions{ResyncPeriod: &period})
}

// AddEventHandlerWithOptions adds a handler. It is told of all objects there are, and then of changes.
func (i *sharedInformer) AddEventHandlerWithOptions(
	handler cache.ResourceEventHandler, options cache.HandlerOptions,
) (cache.ResourceEventHandlerRegistration, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.stoppedLocked() {
		name := i.name + " + event handler " + handlerName(handler)
		added := i.pipeline.subscribe(name, handler, i.resyncs.period(options, i.running != nil))
		if !added.ended() {
			return added, nil
		}
	}
	return nil, fmt.Errorf("handler %v was not added to shared informer because it has stopped already", handler)
}

// RemoveEventHandler makes the informer stop telling a handler; it does not wait. A handle of another informer is ignored.
func (i *sharedInformer) RemoveEventHandler(handle cache.ResourceEventHandlerRegistration) error {
	added, ok := handle.(*registration)
	if !ok {
		return errForeign
	}
	if added.pipeline == i.pipeline {
		added.subscription.Stop()
	}
	return nil
}

// SetWatchErrorHandler sets what is told of errors, before the informer runs.
func (i *sharedInformer) SetWatchErrorHandler(handler cache.WatchErrorHandler) error {
	return i.SetWatchErrorHandlerWithContext(func(_ context.Context, r *cache.Reflector, err error) { handler(r, err) })
}

// SetWatchErrorHandlerWithContext sets what is told of errors, before the informer runs.
func (i *sharedInformer) SetWatchErrorHandlerWithContext(handler cache.WatchErrorHandlerWithContext) error {
	return i.set(func() { i.pipeline.errors.handler = handler })
}

// SetTransform sets what changes objects before they are cached, before the informer runs.
func (i *sharedInformer) SetTransform(transform cache.TransformFunc) error {
	return i.set(func() { i.pipeline.transform = transform })
}

func (i *sharedInformer) set(change func()) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.running != nil {
		return errStarted
	}
	change()
	return nil
}

// A checker is a named channel.
type checker struct {
	name string
	done <-chan struct{}
}

func (c checker) Name() string          { return c.name }
func (c checker) Done() <-chan struct{} { return c.done }

// idle is the controller of a shared informer, which runs itself.
type idle struct{ *sharedInformer }

func (idle) Run(<-chan struct{})            {}
func (idle) RunWithContext(context.Context) {}
