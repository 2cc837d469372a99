package bench

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	clientgo "k8s.io/client-go/tools/cache"

	dropin "github.com/sluice-k8s/sluice/pkg/cache/clientgo"
)

// A store is what the workloads call, each implementation as its users would. It has two indexes, by namespace and by
// node. list, inNamespace and onNode visit pods and add up the lengths of their names.
type store interface {
	get(key types.NamespacedName) *corev1.Pod
	count() int // visits all pods as well, without a look at any of them
	list() int
	listChunks() int // the same in the fastest way that there is
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
		{name: "sluice-clientgo", open: clientGoStores(dropin.NewIndexer)},
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
	storeSize   = 100_000
	podsPerNode = 100
	namespaces  = 100
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
			work(b, implementation.open, fleet(c.size).pods(1))
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

// namesLength is what visiting the pods must add up to.
func namesLength(pods []*corev1.Pod) int {
	sum := 0
	for _, pod := range pods {
		sum += len(pod.Name)
	}
	return sum
}
