package factory

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// Acquire returns a lease of the informer of the objects of a type in a cluster, which it makes if nobody holds it. The
// informer reads as soon as the factory runs. open returns the source for a namespace, for an empty one that for all:
// cache.FromClients(clientset.CoreV1().Pods) does, from which the compiler knows T and S. Each object goes through the
// transforms, in order, before it is cached.
//
// It returns an error that names the option that is wrong, [ErrConflict], and [cache.ErrStopped] after the factory or the
// cluster was stopped. A server that refuses, or a resource that does not exist, is no error here: see [Factory.Ready].
// open must not call the factory.
func Acquire[T cache.Object, S cache.ListerWatcher[T]](
	cluster *Cluster, open func(namespace string) S, options Options, transforms ...cache.Transform[T],
) (*Lease[T], error) {
	id, err := identify[T](cluster.name, options, len(transforms))
	if err != nil {
		return nil, err
	}
	w := wish[T]{id: id, options: options, transforms: transforms}
	return w.acquire(cluster, func(config cache.Config) (*entry, error) {
		return makeOf(options, func(namespace string) cache.ListerWatcher[T] { return open(namespace) }, config, w.all(cluster))
	})
}

// AcquireSource is [Acquire] for a source that can't be asked for other namespaces, such as one of cluster-scoped objects:
// cache.FromClient(clientset.CoreV1().Nodes()).
//
// Sources can't be compared: that of the first who asks is used. One that has a method Namespace() string is known to be of
// that namespace. If another reads only a part of what there is, a Variant has to say which.
func AcquireSource[T cache.Object, S cache.ListerWatcher[T]](
	cluster *Cluster, source S, options Options, transforms ...cache.Transform[T],
) (*Lease[T], error) {
	if options.Scope != nil || len(options.Namespaces) > 0 {
		return nil, errOneSource
	}
	id, err := identify[T](cluster.name, options, len(transforms))
	if err != nil {
		return nil, err
	}
	if of, ok := any(source).(interface{ Namespace() string }); ok {
		id.Namespaces = of.Namespace()
	}
	w := wish[T]{id: id, options: options, transforms: transforms}
	return w.acquire(cluster, func(config cache.Config) (*entry, error) {
		return newEntry(cache.NewInformer[T](source, config, w.all(cluster)...)), nil
	})
}

var errOneSource = errors.New("factory: Options.Namespaces and Options.Scope must be empty for one source; see Acquire")

// A wish is what somebody asks for.
type wish[T cache.Object] struct {
	id         Identity
	options    Options
	transforms []cache.Transform[T]
}

// acquire returns a lease of what exists, or of what build makes.
func (w wish[T]) acquire(c *Cluster, build func(cache.Config) (*entry, error)) (*Lease[T], error) {
	f := c.factory
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := c.usableLocked(); err != nil {
		return nil, err
	}
	e, exists := f.entries[w.id]
	if !exists {
		var err error
		if e, err = build(w.config(c)); err != nil {
			return nil, fmt.Errorf("factory: %v: %w", w.id, err)
		}
		e.id, e.cluster, e.shape = w.id, c, w.shape()
		f.addLocked(e)
	}
	shared, err := w.match(e)
	if err != nil {
		return nil, err
	}
	e.leases++
	return &Lease[T]{Informer: shared, factory: f, entry: e}, nil
}

// match returns the informer of the entry if it is what is asked for.
func (w wish[T]) match(e *entry) (*cache.Informer[T], error) {
	shared, ok := e.informer.(*cache.Informer[T])
	if !ok {
		return nil, fmt.Errorf("factory: %v: %w: it holds objects of another type; set Options.Resource or Options.Variant",
			w.id, ErrConflict)
	}
	if why := e.shape.conflict(w.shape()); why != "" {
		return nil, fmt.Errorf("factory: %v: %w: %s", w.id, ErrConflict, why)
	}
	return shared, nil
}

func (w wish[T]) shape() shape {
	return shape{scope: w.options.Scope, transforms: len(w.transforms), tweaked: w.options.ListOptions != nil}
}

// config returns the configuration of a new informer.
func (w wish[T]) config(c *Cluster) cache.Config {
	config := c.factory.config.Informer
	config.Name = w.id.String()
	if config.Server == nil {
		config.Server = &c.server
	}
	if customize := c.factory.config.Customize; customize != nil {
		customize(w.id, &config)
	}
	config.ListOptions = w.options.listOptions(w.id, config.ListOptions)
	return config
}

// all returns the transforms of a new informer.
func (w wish[T]) all(c *Cluster) []cache.Transform[T] {
	first := c.factory.config.Transform
	if first == nil {
		return w.transforms
	}
	return append([]cache.Transform[T]{func(obj T) (T, error) { return obj, first(obj) }}, w.transforms...)
}

// makeOf returns an informer of the namespaces that the options name.
func makeOf[T cache.Object](
	options Options, open func(namespace string) cache.ListerWatcher[T], config cache.Config, transforms []cache.Transform[T],
) (*entry, error) {
	switch {
	case options.Scope != nil:
		return makeIn(options.Scope, open, config, transforms)
	case len(options.Namespaces) == 0:
		return newEntry(cache.NewInformer(open(metav1.NamespaceAll), config, transforms...)), nil
	default:
		return makeSeparate(open, options.Namespaces, config, transforms)
	}
}

func makeSeparate[T cache.Object](
	open func(namespace string) cache.ListerWatcher[T], namespaces []string, config cache.Config, transforms []cache.Transform[T],
) (*entry, error) {
	informer, err := cache.NewNamespacedInformer(open, namespaces, config, transforms...)
	if err != nil {
		return nil, err
	}
	e := newEntry(informer.Informer)
	e.namespaces, e.rescope = informer.Namespaces, informer.SetNamespaces
	return e, nil
}
