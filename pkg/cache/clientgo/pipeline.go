package clientgo

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	engine "github.com/sluice-k8s/sluice/pkg/cache"
)

// A pipeline is what all informers have in common: the engine between a ListerWatcher and an indexer.
type pipeline struct {
	informer *engine.Informer[*object]
	source   *source
	indexer  *indexer
	detector cache.MutationDetector
	errors   *watchErrors

	transform cache.TransformFunc // set before the informer runs, or nil
}

// settings are those of a pipeline. Zero ones are the defaults of the engine.
type settings struct {
	name            string
	description     string // of the objects
	indexers        cache.Indexers
	minWatchTimeout time.Duration
	transform       cache.TransformFunc
	logger          klog.Logger
	metrics         *metrics
}

func newPipeline(from cache.ListerWatcher, example runtime.Object, settings settings) *pipeline {
	p := &pipeline{
		source:    newSource(from, example),
		detector:  cache.NewCacheMutationDetector(typeName(example)),
		transform: settings.transform,
	}
	p.errors = newWatchErrors(settings.name, settings.description, example, p.source)
	p.informer = engine.NewInformer(p.source, engine.Config{
		Name:            settings.name,
		WatchTimeout:    settings.minWatchTimeout,
		NotifyUnchanged: true,
		OnError:         p.errors.report,
		OnBatch:         settings.metrics.observer(),
		Logger:          settings.logger,
	}, p.transformed)
	contents := newContentsOf(p.informer.Indexer(), p.informer.Write, settings.indexers, settings.metrics)
	p.indexer = &indexer{contents, cache.DeletionHandlingMetaNamespaceKeyFunc}
	return p
}

// transformed is the last that changes an object before it is cached.
func (p *pipeline) transformed(o *object) (*object, error) {
	if p.transform != nil {
		value, err := p.transform(o.value())
		if err != nil {
			return nil, err
		}
		if value == nil {
			return nil, errNothing
		}
		o.set(value)
	}
	p.detector.AddObject(o.value())
	return o, nil
}

// subscribe makes a handler be told, under the name. The least period of a resync is for the caller to decide, as client-go
// has one for shared informers only; a millisecond keeps it from spinning.
func (p *pipeline) subscribe(name string, handler cache.ResourceEventHandler, resync time.Duration) *registration {
	options := engine.SubscribeOptions{Name: name, Resync: resync, MinResync: time.Millisecond}
	subscription := p.informer.SubscribeWith(options, telling(handler))
	return &registration{p, subscription}
}

// run returns when all that it has started has ended, which the end of the context brings about. It must be called once.
func (p *pipeline) run(ctx context.Context) {
	var detecting sync.WaitGroup
	detecting.Go(func() { p.detector.Run(ctx.Done()) })
	defer detecting.Wait()
	if err := p.informer.Run(ctx); err != nil {
		klog.FromContext(ctx).Error(err, "The informer does not run")
	}
}
