package write

import (
	"errors"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// An identity is what a change must leave as it is.
type identity struct {
	key     types.NamespacedName
	uid     types.UID
	version string
	kind    schema.GroupVersionKind
}

func identityOf[T cache.Object](obj T) identity {
	return identity{cache.KeyOf(obj), obj.GetUID(), obj.GetResourceVersion(), obj.GetObjectKind().GroupVersionKind()}
}

// same names the field in which two differ.
func (i identity) same(other identity) error {
	switch {
	case i.key.Name != other.key.Name:
		return errors.New("metadata.name")
	case i.key.Namespace != other.key.Namespace:
		return errors.New("metadata.namespace")
	case i.uid != other.uid:
		return errors.New("metadata.uid")
	case i.version != other.version:
		return errors.New("metadata.resourceVersion")
	case i.kind != other.kind:
		return errors.New("apiVersion or kind")
	}
	return nil
}
