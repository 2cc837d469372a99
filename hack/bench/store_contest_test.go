package bench

import (
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clientgo "k8s.io/client-go/tools/cache"
)

// A store is what the workloads call, each implementation as its users would. It has two indexes, by namespace and by
// node. What returns a number visits pods and adds up the lengths of their names.
type store interface {
	get(key types.NamespacedName) *corev1.Pod
	list() int
	inNamespace(namespace string) int
	onNode(node string) int
	update(pod *corev1.Pod)
	replace(pods []*corev1.Pod, resourceVersion string)
}

type storeImplementation struct {
	name    string
	open    func() store
	isFloor bool
}

func storeImplementations() []storeImplementation {
	return []storeImplementation{
		{name: "sluice", open: newSluiceStore},
		{name: "client-go", open: clientGoStores(func(key clientgo.KeyFunc, indexers clientgo.Indexers) clientgo.Indexer {
			return clientgo.NewIndexer(key, indexers)
		})},
		{name: "floor", open: newFloorStore, isFloor: true},
	}
}

// A storeWorkload measures a store of the pods. It opens the store itself.
type storeWorkload func(b *testing.B, open func() store, pods []*corev1.Pod)

// A storeContest lets implementations do the same workload.
type storeContest struct {
	variant string // such as "content=same"; empty when there is one only
	size    int    // in pods; defaults to storeSize
	floor   bool   // also the least that the workload needs
}

// Sizes of a store and of its indexes.
const (
	storeSize        = 100_000
	podsPerNode      = 100
	namespaces       = 100
	podsPerNamespace = storeSize / namespaces
)

func (c storeContest) run(b *testing.B, work storeWorkload) {
	if c.size == 0 {
		c.size = storeSize
	}
	for _, implementation := range storeImplementations() {
		if implementation.isFloor && !c.floor {
			continue
		}
		b.Run(join("impl="+implementation.name, c.variant), func(b *testing.B) {
			b.ReportAllocs()
			work(b, implementation.open, newPods(c.size, 1))
		})
	}
}

func join(name, variant string) string {
	if variant == "" {
		return name
	}
	return name + "/" + variant
}

// filled returns a new store that holds the pods.
func filled(open func() store, pods []*corev1.Pod) store {
	s := open()
	s.replace(pods, "1")
	return s
}

// newPods returns the pods 0 to n-1 in a version.
func newPods(n, version int) []*corev1.Pod {
	pods := make([]*corev1.Pod, n)
	for number := range pods {
		pods[number] = newPod(number, version)
	}
	return pods
}

// newPod shares no memory with other pods, not even with those of the same number, as if it had been decoded.
func newPod(number, version int) *corev1.Pod {
	key := podKey(number)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       key.Namespace,
			Name:            key.Name,
			UID:             types.UID("uid-" + strconv.Itoa(number)),
			ResourceVersion: strconv.Itoa(version),
		},
		Spec: corev1.PodSpec{NodeName: nodeOf(number)},
	}
}

// podKey makes a key that shares no memory with its pod, so that no comparison of the two can be cut short.
func podKey(number int) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace(number), Name: keyPrefix + strconv.Itoa(number)}
}

func keyOf(pod *corev1.Pod) types.NamespacedName {
	return types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}
}

// nodeOf returns the node of a pod. The pods of a node are of different namespaces.
func nodeOf(number int) string { return "node-" + strconv.Itoa(number/podsPerNode) }

// scatter turns 0, 1, … size-1 into the same numbers in an order without neighbours: size is a power of ten, which the
// prime does not divide.
func scatter(i, size int) int { return i * 611_953 % size }

// namesLength is what visiting the pods must add up to.
func namesLength(pods []*corev1.Pod) int {
	sum := 0
	for _, pod := range pods {
		sum += len(pod.Name)
	}
	return sum
}
