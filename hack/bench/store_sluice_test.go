package bench

import (
	"iter"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

type sluiceStore struct {
	indexer     *cache.Indexer[*corev1.Pod]
	byNamespace *cache.Index[*corev1.Pod, string]
	byNode      *cache.Index[*corev1.Pod, string]
}

func newSluiceStore() store {
	indexer := cache.NewIndexer[*corev1.Pod](nil)
	return &sluiceStore{
		indexer:     indexer,
		byNamespace: cache.AddIndex(indexer, "namespace", func(pod *corev1.Pod) []string { return []string{pod.Namespace} }),
		byNode:      cache.AddIndex(indexer, "node", nodeNames),
	}
}

func nodeNames(pod *corev1.Pod) []string { return []string{pod.Spec.NodeName} }

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

func (s *sluiceStore) list() int { return visit(s.indexer.All()) }
func (s *sluiceStore) inNamespace(namespace string) int {
	return visit(s.byNamespace.Lookup(namespace))
}
func (s *sluiceStore) onNode(node string) int { return visit(s.byNode.Lookup(node)) }

func visit(pods iter.Seq[*corev1.Pod]) int {
	sum := 0
	for pod := range pods {
		sum += len(pod.Name)
	}
	return sum
}

func (s *sluiceStore) update(pod *corev1.Pod) {
	s.indexer.Apply(cache.Batch[*corev1.Pod]{Deltas: []cache.Delta[*corev1.Pod]{
		{Type: cache.DeltaUpdated, Key: cache.KeyOf(pod), Object: pod},
	}})
}

func (s *sluiceStore) replace(pods []*corev1.Pod, resourceVersion string) {
	deltas := make([]cache.Delta[*corev1.Pod], len(pods))
	for i, pod := range pods {
		deltas[i] = cache.Delta[*corev1.Pod]{Type: cache.DeltaReplaced, Key: cache.KeyOf(pod), Object: pod}
	}
	s.indexer.Apply(cache.Batch[*corev1.Pod]{Deltas: deltas, Replaced: true, ResourceVersion: resourceVersion})
}
