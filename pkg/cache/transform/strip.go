package transform

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// StripManagedFields returns a transform that removes metadata.managedFields, which say who set which field: often a
// third of an object, and seldom read from a cache. An object that is later sent whole in an update without them loses
// them on the server; the patches and applies of client-go do not send them.
func StripManagedFields[T cache.Object]() cache.Transform[T] {
	return each(func(obj T) (T, error) {
		if u, ok := any(obj).(*unstructured.Unstructured); ok {
			delete(metadata(u), "managedFields")
		} else {
			obj.SetManagedFields(nil)
		}
		return obj, nil
	})
}

// StripAnnotations returns a transform that removes the annotations with the given keys, such as
// [corev1.LastAppliedConfigAnnotation], which repeats the whole object. Annotations are nil when none is left. The map of
// annotations is replaced, not changed.
func StripAnnotations[T cache.Object](keys ...string) cache.Transform[T] {
	return each(func(obj T) (T, error) {
		if u, ok := any(obj).(*unstructured.Unstructured); ok {
			stripUnstructured(metadata(u), keys)
			return obj, nil
		}
		if rest, ok := without(obj.GetAnnotations(), keys); ok {
			obj.SetAnnotations(rest)
		}
		return obj, nil
	})
}

func stripUnstructured(metadata map[string]any, keys []string) {
	annotations, _ := metadata["annotations"].(map[string]any)
	rest, ok := without(annotations, keys)
	switch {
	case !ok:
	case rest == nil:
		delete(metadata, "annotations")
	default:
		metadata["annotations"] = rest
	}
}

// without returns a copy of m without keys, nil if it is empty, and whether any of them was in m.
func without[V any](m map[string]V, keys []string) (rest map[string]V, ok bool) {
	kept := 0
	for key := range m {
		if !slices.Contains(keys, key) {
			kept++
		}
	}
	if kept == 0 || kept == len(m) {
		return nil, kept != len(m)
	}
	rest = make(map[string]V, kept)
	for key, value := range m {
		if !slices.Contains(keys, key) {
			rest[key] = value
		}
	}
	return rest, true
}

// metadata returns the metadata of an object; nil, from which one can delete, if it has none.
func metadata(u *unstructured.Unstructured) map[string]any {
	m, _ := u.Object["metadata"].(map[string]any)
	return m
}
