package bench

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	clientgo "k8s.io/client-go/tools/cache"
)

// A clientGoStore is whatever implements client-go's Indexer.
type clientGoStore struct{ clientgo.Indexer }

// clientGoStores returns a constructor of stores on the indexers that newIndexer makes.
func clientGoStores(newIndexer func(clientgo.KeyFunc, clientgo.Indexers) clientgo.Indexer) func() store {
	return func() store {
		return clientGoStore{newIndexer(clientgo.MetaNamespaceKeyFunc, clientgo.Indexers{
			clientgo.NamespaceIndex: clientgo.MetaNamespaceIndexFunc,
			nodeIndex:               indexByNode,
		})}
	}
}

const nodeIndex = "node"

func indexByNode(obj any) ([]string, error) { return []string{obj.(*corev1.Pod).Spec.NodeName}, nil }

func (s clientGoStore) get(key types.NamespacedName) *corev1.Pod {
	obj, exists, err := s.GetByKey(key.Namespace + "/" + key.Name)
	if err != nil || !exists {
		return nil
	}
	return obj.(*corev1.Pod)
}

// count needs no loop: List has visited all pods.
func (s clientGoStore) count() int { return len(s.List()) }

func (s clientGoStore) list() int       { return visitAny(s.List()) }
func (s clientGoStore) listChunks() int { return s.list() }

func (s clientGoStore) inNamespace(namespace string) int {
	return s.byIndex(clientgo.NamespaceIndex, namespace)
}

func (s clientGoStore) onNode(node string) int { return s.byIndex(nodeIndex, node) }

// byIndex returns 0 for an error, which is never what a workload expects.
func (s clientGoStore) byIndex(index, value string) int {
	objects, err := s.ByIndex(index, value)
	if err != nil {
		return 0
	}
	return visitAny(objects)
}

func visitAny(objects []any) int {
	sum := 0
	for _, obj := range objects {
		sum += len(obj.(*corev1.Pod).Name)
	}
	return sum
}

func (s clientGoStore) update(pod *corev1.Pod) {
	if err := s.Update(pod); err != nil {
		panic(err)
	}
}

func (s clientGoStore) replace(pods []*corev1.Pod, resourceVersion string) {
	objects := make([]any, len(pods))
	for i, pod := range pods {
		objects[i] = pod
	}
	if err := s.Replace(objects, resourceVersion); err != nil {
		panic(err)
	}
}
