package transform

import (
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// MetadataOnly returns a transform that keeps apiVersion, kind and metadata: it returns a new object of the same type of
// which everything else is zero. It is for those who need the type; others do better with an informer of
// *metav1.PartialObjectMetadata, for which the server does not send the rest.
//
// A typed object must be a struct with the fields TypeMeta and ObjectMeta, as all generated ones are.
func MetadataOnly[T cache.Object]() cache.Transform[T] {
	t := reflect.TypeFor[T]()
	if t == reflect.TypeFor[*unstructured.Unstructured]() {
		return each(func(obj T) (T, error) { return unstructuredMetadata(obj), nil })
	}
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return fails[T](unsupported[T]("MetadataOnly", "it is not a pointer to a struct"))
	}
	typeMeta, ok1 := fieldOf[metav1.TypeMeta](t.Elem())
	objectMeta, ok2 := fieldOf[metav1.ObjectMeta](t.Elem())
	if !ok1 || !ok2 {
		return fails[T](unsupported[T]("MetadataOnly", "it has no fields TypeMeta and ObjectMeta"))
	}
	return each(func(obj T) (T, error) {
		from, to := reflect.ValueOf(obj).Elem(), reflect.New(t.Elem())
		to.Elem().Field(typeMeta).Set(from.Field(typeMeta))
		to.Elem().Field(objectMeta).Set(from.Field(objectMeta))
		return to.Interface().(T), nil
	})
}

// fieldOf returns the index of the field of struct t that has the type and the name of V.
func fieldOf[V any](t reflect.Type) (index int, ok bool) {
	f, ok := t.FieldByName(reflect.TypeFor[V]().Name())
	if !ok || f.Type != reflect.TypeFor[V]() || len(f.Index) != 1 {
		return 0, false
	}
	return f.Index[0], true
}

func unstructuredMetadata[T cache.Object](obj T) T {
	from := any(obj).(*unstructured.Unstructured)
	to := &unstructured.Unstructured{Object: make(map[string]any, 3)}
	for _, key := range []string{"apiVersion", "kind", "metadata"} {
		if value, ok := from.Object[key]; ok {
			to.Object[key] = value
		}
	}
	return any(to).(T)
}
