package owner

import (
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
)

// Set makes the parent the controller of the child, in memory: call it before a child is created, or within what changes
// one. The kind is the parent's, because typed objects often do not have theirs. The parent must have been read from the API
// server. A child that has another controller gives an [OwnedError], and stays as it is, as with every error.
//
// A child that has none is adopted, whoever has made it. Where that must not be, ask [HasController] first, if the child has
// a UID, which is if it exists.
//
// The reference blocks the deletion of the parent in the foreground. For that, where the admission plugin
// OwnerReferencesPermissionEnforcement is on, the controller needs the right to update the finalizers of the parent.
func Set(child, parent metav1.Object, kind schema.GroupVersionKind) error {
	if err := check(child, parent, kind); err != nil {
		return fmt.Errorf("owner: %w", err)
	}
	if controller := metav1.GetControllerOfNoCopy(child); controller != nil && controller.UID != parent.GetUID() {
		return &OwnedError{types.NamespacedName{Namespace: child.GetNamespace(), Name: child.GetName()}, *controller}
	}
	refs, ref := slices.Clone(child.GetOwnerReferences()), *metav1.NewControllerRef(parent, kind)
	if at := index(refs, parent); at >= 0 {
		refs[at] = ref
	} else {
		refs = append(refs, ref)
	}
	child.SetOwnerReferences(refs)
	return nil
}

// Has says whether the child has a reference to the parent: to this one, by UID, not to one that had its name before.
func Has(child, parent metav1.Object) bool { return index(child.GetOwnerReferences(), parent) >= 0 }

// HasController says whether the parent, by UID, is the controller of the child. Ask before a child is changed or deleted:
// anybody may have given an object the name that a child should have.
func HasController(child, parent metav1.Object) bool {
	return parent.GetUID() != "" && metav1.IsControlledBy(child, parent)
}

// Release removes the references to the parent, by UID, in memory, and says whether there were any.
func Release(child, parent metav1.Object) (changed bool) {
	if !Has(child, parent) {
		return false
	}
	child.SetOwnerReferences(slices.DeleteFunc(slices.Clone(child.GetOwnerReferences()), isTo(parent)))
	return true
}

// An OwnedError says that the child has another controller.
type OwnedError struct {
	Child      types.NamespacedName
	Controller metav1.OwnerReference
}

func (e *OwnedError) Error() string {
	return fmt.Sprintf("owner: %q is controlled by %q, UID %q",
		klog.KRef(e.Child.Namespace, e.Child.Name), e.Controller.Kind+"/"+e.Controller.Name, e.Controller.UID)
}

// check refuses references that the garbage collector would not follow, or would take for absent owners.
func check(child, parent metav1.Object, kind schema.GroupVersionKind) error {
	switch {
	case kind.Kind == "" || kind.Version == "":
		return errors.New("the kind of the parent has no kind or no version")
	case parent.GetName() == "":
		return errors.New("metadata.name of the parent is empty")
	case parent.GetUID() == "":
		return errors.New("metadata.uid of the parent is empty: pass one that was read from the API server")
	case parent.GetUID() == child.GetUID():
		return errors.New("the parent is the child")
	case parent.GetNamespace() == "" || parent.GetNamespace() == child.GetNamespace():
		return nil
	case child.GetNamespace() == "":
		return fmt.Errorf("metadata.namespace of the child is empty: one without namespace cannot have a parent in %q", parent.GetNamespace())
	default:
		return fmt.Errorf("metadata.namespace of the child is %q: it cannot have a parent in %q", child.GetNamespace(), parent.GetNamespace())
	}
}

func index(refs []metav1.OwnerReference, parent metav1.Object) int {
	return slices.IndexFunc(refs, isTo(parent))
}

func isTo(parent metav1.Object) func(metav1.OwnerReference) bool {
	uid := parent.GetUID()
	return func(ref metav1.OwnerReference) bool { return uid != "" && ref.UID == uid }
}
