package clientgo

import (
	"context"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// NewInformer is [NewInformerWithOptions] with a handler and a resync period.
func NewInformer(
	lw cache.ListerWatcher, objType runtime.Object, resyncPeriod time.Duration, h cache.ResourceEventHandler,
) (cache.Store, cache.Controller) {
	return NewIndexerInformer(lw, objType, resyncPeriod, h, nil)
}

// NewIndexerInformer is [NewInformerWithOptions] with a handler, a resync period and indexers.
func NewIndexerInformer(
	lw cache.ListerWatcher, objType runtime.Object, resyncPeriod time.Duration, h cache.ResourceEventHandler,
	indexers cache.Indexers,
) (cache.Indexer, cache.Controller) {
	c := newController(cache.InformerOptions{
		ListerWatcher: lw, ObjectType: objType, Handler: h, ResyncPeriod: resyncPeriod, Indexers: indexers,
	})
	return c.pipeline.indexer, c
}

// NewInformerWithOptions returns a store and the controller that fills it and tells one handler. The store is a
// [cache.Indexer] too.
//
// Handlers run beside the store here as everywhere: what a handler is told of is in the store, and it may be that newer
// states are. HasSynced of the controller says that the handler has returned from all initial objects.
func NewInformerWithOptions(options cache.InformerOptions) (cache.Store, cache.Controller) {
	c := newController(options)
	return c.pipeline.indexer, c
}

// leastWatch is the shortest time that watches may be asked to last.
const leastWatch = 5 * time.Minute

func newController(options cache.InformerOptions) *controller {
	name := "RealFIFO " + typeName(options.ObjectType)
	chosen := settings{
		name:            name,
		indexers:        options.Indexers,
		minWatchTimeout: max(options.MinWatchTimeout, leastWatch),
		transform:       options.Transform,
		metrics:         newMetrics(options.Identifier, options.InformerMetricsProvider),
	}
	if options.Logger != nil {
		chosen.logger = *options.Logger
	}
	p := newPipeline(options.ListerWatcher, options.ObjectType, chosen)
	return &controller{pipeline: p, handler: p.subscribe(name, options.Handler, options.ResyncPeriod)}
}

// A controller is an informer with one handler.
type controller struct {
	pipeline *pipeline
	handler  *registration
	started  atomic.Bool
}

var _ cache.Controller = (*controller)(nil)

// Run is RunWithContext until the channel is closed.
func (c *controller) Run(stopCh <-chan struct{}) { c.RunWithContext(wait.ContextForChannel(stopCh)) }

// RunWithContext keeps the store up to date until the context is done, and returns when the handler has. Called again, it
// returns at once.
func (c *controller) RunWithContext(ctx context.Context) {
	if !c.started.CompareAndSwap(false, true) {
		klog.FromContext(ctx).Info("A controller can be run only once", "controller", c.handler.Name())
		return
	}
	c.pipeline.run(ctx)
}

// HasSynced says whether the first list is in the store and the handler has returned from it.
func (c *controller) HasSynced() bool { return c.handler.HasSynced() }

// HasSyncedChecker is HasSynced for those who wait.
func (c *controller) HasSyncedChecker() cache.DoneChecker { return c.handler }

// LastSyncResourceVersion returns the version that was read last. It may be ahead of the store's.
func (c *controller) LastSyncResourceVersion() string { return c.pipeline.source.lastVersion() }
