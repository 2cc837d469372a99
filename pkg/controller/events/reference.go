package events

import (
	"reflect"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// Reference returns a reference to an object of a kind, for kinds that no scheme knows:
//
//	recorder.Normal(events.Reference(tab, crontab.Kind), "Scheduled", "Schedule", "the next run is planned")
func Reference(obj metav1.Object, kind schema.GroupVersionKind) *corev1.ObjectReference {
	apiVersion, name := kind.ToAPIVersionAndKind()
	return &corev1.ObjectReference{
		APIVersion:      apiVersion,
		Kind:            name,
		Namespace:       obj.GetNamespace(),
		Name:            obj.GetName(),
		UID:             obj.GetUID(),
		ResourceVersion: obj.GetResourceVersion(),
	}
}

// kinds says which kind an object is.
type kinds struct {
	scheme runtime.ObjectTyper // nil knows nothing
}

// reference returns nil for what is no object, or one of unknown kind.
func (k kinds) reference(obj runtime.Object) *corev1.ObjectReference {
	if isNil(obj) {
		return nil
	}
	if ref, ok := obj.(*corev1.ObjectReference); ok {
		return usable(new(*ref))
	}
	accessor, err := meta.Accessor(obj)
	if err != nil {
		return nil
	}
	return usable(Reference(accessor, k.of(obj)))
}

// of returns what the object says itself, or the first scheme that knows it.
func (k kinds) of(obj runtime.Object) schema.GroupVersionKind {
	if kind := obj.GetObjectKind().GroupVersionKind(); !kind.Empty() {
		return kind
	}
	for _, typer := range []runtime.ObjectTyper{k.scheme, scheme.Scheme} {
		if typer == nil {
			continue
		}
		if known, _, err := typer.ObjectKinds(obj); err == nil && len(known) > 0 {
			return known[0]
		}
	}
	return schema.GroupVersionKind{}
}

func usable(ref *corev1.ObjectReference) *corev1.ObjectReference {
	if ref.Kind == "" || ref.Name == "" {
		return nil
	}
	return ref
}

func isNil(obj runtime.Object) bool {
	if obj == nil {
		return true
	}
	value := reflect.ValueOf(obj)
	return value.Kind() == reflect.Pointer && value.IsNil()
}
