package controller

import (
	"maps"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// A Predicate says whether an event is worth a reconcile. It must not block. Those of this package let pass what is no
// update, and what a resync asks for.
type Predicate[T cache.Object] func(event cache.Event[T]) bool

// GenerationChanged lets updates pass that have changed the object's generation, that is its desired state, but not its
// status or metadata; and all updates of a type that has no generation, such as ConfigMaps.
func GenerationChanged[T cache.Object](event cache.Event[T]) bool {
	if !isChange(event) {
		return true
	}
	generation := event.Object.GetGeneration()
	return generation == 0 || generation != event.Old.GetGeneration()
}

// LabelsChanged lets updates pass that have changed the object's labels.
func LabelsChanged[T cache.Object](event cache.Event[T]) bool {
	return !isChange(event) || !maps.Equal(event.Old.GetLabels(), event.Object.GetLabels())
}

// AnnotationsChanged lets updates pass that have changed the object's annotations.
func AnnotationsChanged[T cache.Object](event cache.Event[T]) bool {
	return !isChange(event) || !maps.Equal(event.Old.GetAnnotations(), event.Object.GetAnnotations())
}

// isChange says whether there is a state before to compare with.
func isChange[T cache.Object](event cache.Event[T]) bool {
	return event.Type == cache.Updated && !event.Resync
}

// All lets pass what all predicates let pass; without any, everything.
func All[T cache.Object](predicates ...Predicate[T]) Predicate[T] {
	return func(event cache.Event[T]) bool {
		for _, pass := range predicates {
			if !pass(event) {
				return false
			}
		}
		return true
	}
}

// Any lets pass what at least one predicate lets pass; without any, nothing.
func Any[T cache.Object](predicates ...Predicate[T]) Predicate[T] {
	return func(event cache.Event[T]) bool {
		for _, pass := range predicates {
			if pass(event) {
				return true
			}
		}
		return false
	}
}

// Not lets pass what the predicate does not.
func Not[T cache.Object](predicate Predicate[T]) Predicate[T] {
	return func(event cache.Event[T]) bool { return !predicate(event) }
}
