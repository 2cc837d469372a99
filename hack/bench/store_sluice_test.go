package bench

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

type sluiceStore struct {
	indexer *cache.Indexer[*corev1.Pod]
	byNode  *cache.Index[*corev1.Pod, string]
}

func newSluiceStore() store {
	indexer := cache.NewIndexer[*corev1.Pod]() // has an index of namespaces
	return &sluiceStore{indexer, cache.AddIndex(indexer, "node", nodeNames)}
}

func nodeNames(pod *corev1.Pod) ([]string, error) { return []string{pod.Spec.NodeName}, nil }

func (s *sluiceStore) get(key types.NamespacedName) *corev1.Pod {
	pod, _ := s.indexer.Get(key)
	return pod
}

func (s *sluiceStore) count() int {
	n := 0
	for pod := range s.indexer.All() {
		if pod != nil {
			n++
		}
	}
	return n
}

func (s *sluiceStore) list() int {
	sum := 0
	for pod := range s.indexer.All() {
		sum += len(pod.Name)
	}
	return sum
}

func (s *sluiceStore) listChunks() int {
	sum := 0
	for chunk := range s.indexer.Snapshot().Chunks() {
		sum += namesLength(chunk)
	}
	return sum
}

func (s *sluiceStore) inNamespace(namespace string) int {
	sum := 0
	for pod := range s.indexer.InNamespace(namespace) {
		sum += len(pod.Name)
	}
	return sum
}

func (s *sluiceStore) onNode(node string) int {
	sum := 0
	for pod := range s.byNode.Lookup(node) {
		sum += len(pod.Name)
	}
	return sum
}

func (s *sluiceStore) update(pod *corev1.Pod) {
	s.indexer.Apply(cache.Batch[*corev1.Pod]{Deltas: []cache.Delta[*corev1.Pod]{
		{Type: cache.DeltaUpdated, Object: pod},
	}})
}

func (s *sluiceStore) replace(pods []*corev1.Pod, resourceVersion string) {
	s.indexer.Apply(cache.Batch[*corev1.Pod]{Replaced: true, Items: pods, ResourceVersion: resourceVersion})
}
