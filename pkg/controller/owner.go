package controller

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// An Owner says which owner references [Owns] follows.
type Owner struct {
	Group, Kind string
	// Any follows all references to the kind, not only the one to the object's controller.
	Any bool
	// ClusterScoped says that owners have no namespace; else they are in that of the object.
	ClusterScoped bool
}

// Owns returns a source that adds the keys of the owners, as the owner references tell, of each object that changes, if all
// predicates let the event pass. Of an update the owners before it are added, too, if they are others. References can be forged:
// a reconcile that changes or deletes such an object must compare the reference's UID, as [metav1.IsControlledBy] does.
func Owns[T cache.Object](informer *cache.Informer[T], owner Owner, when ...Predicate[T]) Source[types.NamespacedName] {
	return Watches(informer, func(event cache.Event[T], add func(types.NamespacedName)) {
		owner.addKeys(event.Object, add)
		if event.Type == cache.Updated {
			owner.addKeys(event.Old, func(key types.NamespacedName) {
				if !owner.owns(key, event.Object) { // else a quick worker would run it twice
					add(key)
				}
			})
		}
	}, when...)
}

func (o Owner) addKeys(obj metav1.Object, add func(types.NamespacedName)) {
	for _, ref := range obj.GetOwnerReferences() {
		if o.matches(ref) {
			add(o.keyOf(ref, obj))
		}
	}
}

// owns says whether the key is that of an owner of the object.
func (o Owner) owns(key types.NamespacedName, obj metav1.Object) bool {
	return slices.ContainsFunc(obj.GetOwnerReferences(), func(ref metav1.OwnerReference) bool {
		return o.matches(ref) && o.keyOf(ref, obj) == key
	})
}

func (o Owner) matches(ref metav1.OwnerReference) bool {
	if ref.Kind != o.Kind || !o.Any && (ref.Controller == nil || !*ref.Controller) {
		return false
	}
	version, err := schema.ParseGroupVersion(ref.APIVersion)
	return err == nil && version.Group == o.Group
}

func (o Owner) keyOf(ref metav1.OwnerReference, obj metav1.Object) types.NamespacedName {
	if o.ClusterScoped {
		return types.NamespacedName{Name: ref.Name}
	}
	return types.NamespacedName{Namespace: obj.GetNamespace(), Name: ref.Name}
}
