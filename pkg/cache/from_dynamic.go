package cache

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// FromDynamic returns a source that reads through a dynamic client: client.Resource(resource), or its Namespace(namespace).
// It decodes whole pages; [FromREST] for *unstructured.Unstructured decodes them one object at a time.
func FromDynamic(client ListClient[*unstructured.UnstructuredList]) ListerWatcher[*unstructured.Unstructured] {
	return listerWatcher[*unstructured.Unstructured, *unstructured.UnstructuredList]{client}
}

// FromMetadata returns a source that reads nothing but metadata, through a metadata client: client.Resource(resource), or its
// Namespace(namespace). It decodes whole pages; [FromREST] for *metav1.PartialObjectMetadata decodes them one object at a
// time.
func FromMetadata(client ListClient[*metav1.PartialObjectMetadataList]) ListerWatcher[*metav1.PartialObjectMetadata] {
	return listerWatcher[*metav1.PartialObjectMetadata, *metav1.PartialObjectMetadataList]{client}
}
