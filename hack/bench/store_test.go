package bench

import (
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

func BenchmarkStoreGet(b *testing.B) {
	for _, order := range []order{stored, scattered, hot} {
		storeContest{variant: "keys=foreign/" + order.String(), floor: true}.run(b, getOne(order, foreignKey))
		storeContest{variant: "keys=events/" + order.String(), floor: true}.run(b, getOne(order, eventKey))
	}
}

func BenchmarkStoreList(b *testing.B) {
	storeContest{variant: "by=chunk", floor: true}.run(b, listAll(store.listChunks))
	storeContest{variant: "by=object", floor: true}.run(b, listAll(store.list))
}

func BenchmarkStoreByNamespace(b *testing.B) {
	for _, order := range []order{scattered, hot} {
		storeContest{variant: order.String(), floor: true}.run(b, listNamespaces(order))
	}
}

func BenchmarkStoreByIndex(b *testing.B) {
	for _, order := range []order{scattered, hot} {
		storeContest{variant: order.String(), floor: true}.run(b, listNodes(order))
	}
}

func BenchmarkStoreUpdate(b *testing.B) {
	for _, order := range []order{stored, scattered} {
		storeContest{variant: order.String(), floor: true}.run(b, updateOne(order))
	}
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

func lookups(pods []*corev1.Pod, order order, key func(number int, pod *corev1.Pod) types.NamespacedName) []lookup {
	var all []lookup
	for _, number := range order.of(len(pods)) {
		all = append(all, lookup{key(number, pods[number]), pods[number]})
	}
	return all
}

// foreignKey shares no memory with the pod: it was parsed from somewhere.
func foreignKey(number int, _ *corev1.Pod) types.NamespacedName { return podKey(number) }

// eventKey is the key as an event brings it, which goes through a queue to a reconcile.
func eventKey(_ int, pod *corev1.Pod) types.NamespacedName { return keyOf(pod) }

// getOne compares pointers, so that it does not measure how long the memory of a pod takes to arrive.
func getOne(order order, key func(int, *corev1.Pod) types.NamespacedName) storeWorkload {
	return func(b *testing.B, open func() store, pods []*corev1.Pod) {
		s := filled(open, pods)
		next := rotation[lookup]{keys: lookups(pods, order, key)}
		for b.Loop() {
			lookup := next.key()
			if got := s.get(lookup.key); got != lookup.want {
				b.Fatalf("%v: got %v, want %v", lookup.key, got, lookup.want)
			}
		}
	}
}

func listAll(list func(store) int) storeWorkload {
	return func(b *testing.B, open func() store, pods []*corev1.Pod) {
		s := filled(open, pods)
		want := namesLength(pods)
		for b.Loop() {
			if got := list(s); got != want {
				b.Fatalf("the names have %d characters, want %d", got, want)
			}
		}
	}
}

// A group is a value of an index, and the length of the names of its pods.
type group struct {
	value       string
	namesLength int
}

func listNamespaces(order order) storeWorkload {
	return func(b *testing.B, open func() store, pods []*corev1.Pod) {
		valueOf := func(pod *corev1.Pod) string { return pod.Namespace }
		listGroups(b, filled(open, pods).inNamespace, order, groups(pods, namespaces, namespace, valueOf))
	}
}

func listNodes(order order) storeWorkload {
	return func(b *testing.B, open func() store, pods []*corev1.Pod) {
		valueOf := func(pod *corev1.Pod) string { return pod.Spec.NodeName }
		listGroups(b, filled(open, pods).onNode, order, groups(pods, fleet(len(pods)).nodes(), nodeName, valueOf))
	}
}

// groups returns those of the values 0 to n-1, which have names.
func groups(pods []*corev1.Pod, n int, name func(int) string, valueOf func(*corev1.Pod) string) []group {
	lengths := make(map[string]int)
	for _, pod := range pods {
		lengths[valueOf(pod)] += len(pod.Name)
	}
	all := make([]group, n)
	for i := range all {
		all[i] = group{name(i), lengths[name(i)]}
	}
	return all
}

func listGroups(b *testing.B, list func(value string) int, order order, groups []group) {
	var next rotation[group]
	for _, i := range order.of(len(groups)) {
		next.keys = append(next.keys, groups[i])
	}
	for b.Loop() {
		group := next.key()
		if got := list(group.value); got != group.namesLength {
			b.Fatalf("%s: the names have %d characters, want %d", group.value, got, group.namesLength)
		}
	}
}

func updateOne(order order) storeWorkload {
	return func(b *testing.B, open func() store, pods []*corev1.Pod) {
		s := filled(open, pods)
		next := revisionsOf(pods, order)
		var last *corev1.Pod
		for b.Loop() {
			last = next.pod()
			s.update(last)
		}
		wantStored(b, s, last)
	}
}

// revisions are pods to update a store with, one round after the other, each newer than the one that it holds. Nothing is
// made while time is taken: a pod has two copies, and the one that is not in the store gets the next version.
type revisions struct {
	copies   [2][]*corev1.Pod
	versions []string
	round    int
	at       int
}

func revisionsOf(pods []*corev1.Pod, order order) *revisions {
	r := &revisions{}
	for _, number := range order.of(len(pods)) {
		r.copies[0] = append(r.copies[0], fleet(len(pods)).pod(number, 1))
		r.copies[1] = append(r.copies[1], fleet(len(pods)).pod(number, 1))
	}
	for version := range 20_000_000 / len(r.copies[0]) { // for more updates than a benchmark makes
		r.versions = append(r.versions, strconv.Itoa(version+2))
	}
	return r
}

func (r *revisions) pod() *corev1.Pod {
	pod := r.copies[r.round%2][r.at]
	pod.ResourceVersion = r.versions[r.round]
	r.at++
	if r.at == len(r.copies[0]) {
		r.at, r.round = 0, r.round+1
	}
	return pod
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
			relisted := fleet(len(pods)).pods(version)
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
