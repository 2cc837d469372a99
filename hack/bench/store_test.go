package bench

import (
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

func BenchmarkStoreGet(b *testing.B) {
	storeContest{floor: true}.run(b, getOne)
}

func BenchmarkStoreList(b *testing.B) {
	storeContest{floor: true}.run(b, listAll)
}

func BenchmarkStoreByNamespace(b *testing.B) {
	storeContest{floor: true}.run(b, listNamespace)
}

func BenchmarkStoreByIndex(b *testing.B) {
	storeContest{floor: true}.run(b, listNode)
}

func BenchmarkStoreUpdate(b *testing.B) {
	storeContest{floor: true}.run(b, updateOne)
}

func BenchmarkStoreReplace(b *testing.B) {
	storeContest{variant: "content=changed", floor: true}.run(b, replaceBy(func(relist int) int { return relist }))
	storeContest{variant: "content=same", floor: true}.run(b, replaceBy(func(int) int { return 1 }))
}

// A lookup is a key and what is to be found there.
type lookup struct {
	key  types.NamespacedName
	want *corev1.Pod
}

func lookups(pods []*corev1.Pod) []lookup {
	all := make([]lookup, len(pods))
	for i := range all {
		number := scatter(i, len(pods))
		all[i] = lookup{podKey(number), pods[number]}
	}
	return all
}

// getOne compares pointers, so that it does not measure how long the memory of a pod takes to arrive.
func getOne(b *testing.B, open func() store, pods []*corev1.Pod) {
	s := filled(open, pods)
	next := rotation[lookup]{keys: lookups(pods)}
	for b.Loop() {
		lookup := next.key()
		if got := s.get(lookup.key); got != lookup.want {
			b.Fatalf("%v: got %v, want %v", lookup.key, got, lookup.want)
		}
	}
}

func listAll(b *testing.B, open func() store, pods []*corev1.Pod) {
	s := filled(open, pods)
	want := namesLength(pods)
	for b.Loop() {
		if got := s.list(); got != want {
			b.Fatalf("the names have %d characters, want %d", got, want)
		}
	}
}

func listNamespace(b *testing.B, open func() store, pods []*corev1.Pod) {
	ofNamespace := make([]group, namespaces)
	for number := range ofNamespace {
		ofNamespace[number].name = namespace(number)
	}
	for number, pod := range pods {
		ofNamespace[number%namespaces].length += len(pod.Name)
	}
	listGroup(b, filled(open, pods).inNamespace, ofNamespace)
}

func listNode(b *testing.B, open func() store, pods []*corev1.Pod) {
	ofNode := make([]group, len(pods)/podsPerNode)
	for i := range ofNode {
		first := scatter(i, len(ofNode)) * podsPerNode
		ofNode[i] = group{nodeOf(first), namesLength(pods[first : first+podsPerNode])}
	}
	listGroup(b, filled(open, pods).onNode, ofNode)
}

// A group is a value of an index, and the length of the names of its pods.
type group struct {
	name   string
	length int
}

func listGroup(b *testing.B, list func(name string) int, groups []group) {
	next := rotation[group]{keys: groups}
	for b.Loop() {
		group := next.key()
		if got := list(group.name); got != group.length {
			b.Fatalf("%s: the names have %d characters, want %d", group.name, got, group.length)
		}
	}
}

func updateOne(b *testing.B, open func() store, pods []*corev1.Pod) {
	s := filled(open, pods)
	next := rotation[*corev1.Pod]{keys: revisions(pods)}
	var last *corev1.Pod
	for b.Loop() {
		last = next.key()
		s.update(last)
	}
	wantStored(b, s, last)
}

// revisions returns pods to update a store with, over and over: newer versions of those that it holds, then these again.
// So nothing has to be made while time is taken, and each update brings another pointer and version than those stored.
// Of a store of more than storeSize it is as many, from all over it.
func revisions(pods []*corev1.Pod) []*corev1.Pod {
	n := min(len(pods), storeSize)
	updates := make([]*corev1.Pod, 2*n)
	for i := range n {
		number := scatter(i, len(pods))
		updates[i], updates[n+i] = newPod(number, 2), pods[number]
	}
	return updates
}

func wantStored(tb testing.TB, s store, want *corev1.Pod) {
	tb.Helper()
	if got := s.get(keyOf(want)); got != want {
		tb.Errorf("the store has %p, want what was written last, %p", got, want)
	}
}

// replaceBy replaces the content, which is of version 1, by the same pods in the versions that a relist finds. Each relist
// brings new pointers, which are made while no time is taken.
func replaceBy(versionIn func(relist int) int) storeWorkload {
	return func(b *testing.B, open func() store, pods []*corev1.Pod) {
		s := filled(open, pods)
		relist := 1
		for b.Loop() {
			b.StopTimer()
			relist++
			version := versionIn(relist)
			relisted := newPods(len(pods), version)
			b.StartTimer()
			s.replace(relisted, strconv.Itoa(relist))
		}
		wantVersions(b, s, len(pods), strconv.Itoa(versionIn(relist)))
	}
}

func wantVersions(tb testing.TB, s store, size int, want string) {
	tb.Helper()
	for number := range size {
		if got := s.get(podKey(number)); got == nil || got.ResourceVersion != want {
			tb.Fatalf("pod %d is %v, want version %s", number, got, want)
		}
	}
}
