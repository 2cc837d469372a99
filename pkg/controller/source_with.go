package controller

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// AtOnce returns a source whose keys are reconciled at once: its events end a back-off and take back a parked key. It is
// for events that may well be what failing reconciles wait for, and that those do not cause themselves.
func AtOnce[K comparable](source Source[K]) Source[K] {
	return changing[K]{source, func(options *queue.AddOptions) { options.Now = true }}
}

// AtPriority returns a source whose keys are added with a priority, but for those of the first pass over everything and of
// resyncs if that is higher than theirs.
func AtPriority[K comparable](priority queue.Priority, source Source[K]) Source[K] {
	return changing[K]{source, func(options *queue.AddOptions) {
		if options.Priority >= queue.Normal || priority < options.Priority {
			options.Priority = priority
		}
	}}
}

type changing[K comparable] struct {
	source Source[K]
	change func(*queue.AddOptions)
}

func (c changing[K]) Subscribe(to Target[K]) Subscription {
	add := to.Add
	to.Add = func(key K, options queue.AddOptions) {
		c.change(&options)
		add(key, options)
	}
	return c.source.Subscribe(to)
}

// Mapped returns a source with other keys.
func Mapped[A, B comparable](source Source[A], mapping func(A) B) Source[B] {
	return mapped[A, B]{source, mapping}
}

type mapped[A, B comparable] struct {
	source  Source[A]
	mapping func(A) B
}

func (m mapped[A, B]) Subscribe(to Target[B]) Subscription {
	return m.source.Subscribe(Target[A]{
		Controller: to.Controller,
		Add:        func(key A, options queue.AddOptions) { to.Add(m.mapping(key), options) },
		Triggers:   to.Triggers,
		Logger:     to.Logger,
		Clock:      to.Clock,
	})
}

// A ClusterKey is the key of an object in one of several clusters.
type ClusterKey struct {
	Cluster string
	types.NamespacedName
}

// String returns the key as cluster/namespace/name.
func (k ClusterKey) String() string { return k.Cluster + "/" + k.NamespacedName.String() }

// MarshalLog returns what loggers write that know structures: otherwise that of the embedded name, without the cluster.
func (k ClusterKey) MarshalLog() any {
	return struct {
		Cluster   string `json:"cluster"`
		Namespace string `json:"namespace,omitempty"`
		Name      string `json:"name"`
	}{k.Cluster, k.Namespace, k.Name}
}

// InCluster returns a source whose keys name the cluster: for a controller of several clusters.
func InCluster(cluster string, source Source[types.NamespacedName]) Source[ClusterKey] {
	return Mapped(source, func(key types.NamespacedName) ClusterKey { return ClusterKey{cluster, key} })
}
