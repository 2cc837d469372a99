package bench

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A fleet is a number of pods, a power of ten from 10 000 on, which have the numbers 0, 1, … They are on nodes of
// podsPerNode pods each, one of every namespace.
type fleet int

// pods returns all pods in a version.
func (f fleet) pods(version int) []*corev1.Pod {
	pods := make([]*corev1.Pod, f)
	for number := range pods {
		pods[number] = f.pod(number, version)
	}
	return pods
}

// pod shares no memory with other pods, not even with those of the same number, as if it had been decoded.
func (f fleet) pod(number, version int) *corev1.Pod {
	key := podKey(number)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       key.Namespace,
			Name:            key.Name,
			UID:             types.UID("uid-" + strconv.Itoa(number)),
			ResourceVersion: strconv.Itoa(version),
		},
		Spec: corev1.PodSpec{NodeName: nodeName(f.nodeOf(number))},
	}
}

func (f fleet) nodes() int { return int(f) / podsPerNode }

// nodeOf keeps the pods of a node apart, as they are in a list that is sorted by namespace and name.
func (f fleet) nodeOf(number int) int {
	return (number/namespaces + 37*(number%namespaces)) % f.nodes()
}

func nodeName(node int) string { return "node-" + strconv.Itoa(node) }

// podKey makes a key that shares no memory with its pod, so that no comparison of the two can be cut short.
func podKey(number int) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace(number), Name: keyPrefix + strconv.Itoa(number)}
}

func keyOf(pod *corev1.Pod) types.NamespacedName {
	return types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}
}

// An order says which of many numbers are used, and in which order. It decides how much of what is read is in the
// processor's caches.
type order string

const (
	stored    order = "stored"    // all as they came into the store, one beside the other
	scattered order = "scattered" // all, none near the one before
	hot       order = "hot"       // a hundredth of all, up to 1000, scattered and over and over: a controller's latest
)

// of returns which of the numbers 0 to n-1 to use. n is a power of ten.
func (o order) of(n int) []int {
	const prime = 611_953 // divides no power of ten: its multiples reach every number once
	used := n
	if o == hot {
		used = min(n/100, 1000)
	}
	numbers := make([]int, used)
	for i := range numbers {
		numbers[i] = i
		if o != stored {
			numbers[i] = i * prime % n
		}
	}
	return numbers
}

func (o order) String() string { return "order=" + string(o) }
