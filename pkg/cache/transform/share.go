package transform

import (
	"reflect"
	"unsafe"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/internal/structure"
)

// remembered is how many parts, and how many strings, are remembered at most.
const remembered = 16384

// Share returns a transform that replaces the parts of objects by equal parts of earlier ones; see the package
// documentation. The object itself is not replaced. A slice below it has no spare capacity afterwards, so that append
// copies it, and is moved if it wastes 64 bytes or more; only slices within the values of maps keep theirs, but for []byte.
//
// What is not shared: types with unexported fields (other than resource.Quantity and times), interfaces that hold anything
// but JSON values, arrays, the values within maps of structs, and whatever holds one of these by value. Where 1024 parts
// of one type were new in a row, or 1024 strings of one field, only every 16th is looked for until one is known.
func Share[T cache.Object]() cache.Transform[T] {
	if reflect.TypeFor[T]() == reflect.TypeFor[*unstructured.Unstructured]() {
		return unstructuredWalk[T](structure.NewJSONSharer(remembered).ShareJSON)
	}
	return typedWalk[T]("Share", (*structure.Sharer).Share)
}

// Intern returns a transform that replaces the strings of objects by equal strings of earlier ones, which have their bytes
// elsewhere: values, list items, and keys and values of maps of strings, up to 256 bytes long; names, UIDs and resource
// versions of the objects aside. [Share] does so where it cannot do better, so a chain needs one of the two: Intern where
// parts must stay apart, because somebody changes cached objects.
func Intern[T cache.Object]() cache.Transform[T] {
	if reflect.TypeFor[T]() == reflect.TypeFor[*unstructured.Unstructured]() {
		return unstructuredWalk[T](structure.NewJSONSharer(remembered).InternJSON)
	}
	return typedWalk[T]("Intern", (*structure.Sharer).Intern)
}

func typedWalk[T cache.Object](name string, walk func(*structure.Sharer, unsafe.Pointer)) cache.Transform[T] {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Pointer {
		return fails[T](unsupported[T](name, "it is not a pointer to a struct"))
	}
	sharer, ok := structure.NewSharer(t.Elem(), remembered)
	if !ok {
		return fails[T](unsupported[T](name, "it is not a pointer to a struct of which all fields are exported"))
	}
	return each(func(obj T) (T, error) {
		walk(sharer, reflect.ValueOf(obj).UnsafePointer())
		return obj, nil
	})
}

// unstructuredWalk walks the metadata of an object, and then the rest.
func unstructuredWalk[T cache.Object](walk func(m map[string]any, own ...string)) cache.Transform[T] {
	return each(func(obj T) (T, error) {
		u := any(obj).(*unstructured.Unstructured)
		if m := metadata(u); m != nil {
			walk(m, "name", "uid", "resourceVersion")
		}
		walk(u.Object, "metadata")
		return obj, nil
	})
}
