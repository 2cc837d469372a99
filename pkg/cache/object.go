package cache

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// An Object is the pointer type of an API object: *v1.Pod, *unstructured.Unstructured, *metav1.PartialObjectMetadata.
type Object interface {
	comparable
	runtime.Object
	metav1.Object
}

// KeyOf returns the key under which an object is cached. The namespace of a cluster-scoped object is empty.
func KeyOf[T metav1.Object](obj T) types.NamespacedName {
	return types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

func textOf(key types.NamespacedName) (space, name string) { return key.Namespace, key.Name }
