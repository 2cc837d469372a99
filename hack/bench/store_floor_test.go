package bench

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A floorStore does what no store can do without: a map finds a pod, slices hold those that are visited. It has no lock.
// An update reaches the map only.
type floorStore struct {
	objects     map[types.NamespacedName]*corev1.Pod
	all         []*corev1.Pod
	byNamespace map[string][]*corev1.Pod
	byNode      map[string][]*corev1.Pod
}

func newFloorStore() store { return &floorStore{} }

func (s *floorStore) get(key types.NamespacedName) *corev1.Pod { return s.objects[key] }
func (s *floorStore) count() int                               { return len(s.all) }
func (s *floorStore) list() int                                { return namesLength(s.all) }
func (s *floorStore) listChunks() int                          { return s.list() }
func (s *floorStore) inNamespace(namespace string) int         { return namesLength(s.byNamespace[namespace]) }

func (s *floorStore) onNode(node string) int { return namesLength(s.byNode[node]) }
func (s *floorStore) update(pod *corev1.Pod) { s.objects[keyOf(pod)] = pod }

func (s *floorStore) replace(pods []*corev1.Pod, _ string) {
	s.all = pods
	s.objects = make(map[types.NamespacedName]*corev1.Pod, len(pods))
	s.byNamespace, s.byNode = make(map[string][]*corev1.Pod), make(map[string][]*corev1.Pod)
	for _, pod := range pods {
		s.objects[keyOf(pod)] = pod
		s.byNamespace[pod.Namespace] = append(s.byNamespace[pod.Namespace], pod)
		s.byNode[pod.Spec.NodeName] = append(s.byNode[pod.Spec.NodeName], pod)
	}
}
