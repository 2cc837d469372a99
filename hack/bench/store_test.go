package bench

import (
	"fmt"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clientgo "k8s.io/client-go/tools/cache"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

const (
	storeSize   = 100_000
	podsPerNode = 100
)

// A store is what both implementations can do, as their users would call them.
type store interface {
	get(namespace, name string) *corev1.Pod
	list() int
	onNode(node string) int
	update(pod *corev1.Pod)
}

type sluiceStore struct {
	indexer *cache.Indexer[*corev1.Pod]
	byNode  *cache.Index[*corev1.Pod, string]
}

func newSluiceStore() store {
	indexer := cache.NewIndexer[*corev1.Pod]()
	return sluiceStore{indexer, cache.AddIndex(indexer, "node", func(pod *corev1.Pod) ([]string, error) { return []string{pod.Spec.NodeName}, nil })}
}

func (s sluiceStore) get(namespace, name string) *corev1.Pod {
	pod, _ := s.indexer.Get(types.NamespacedName{Namespace: namespace, Name: name})
	return pod
}

func (s sluiceStore) list() int {
	n := 0
	for pod := range s.indexer.All() {
		if pod.Name != "" {
			n++
		}
	}
	return n
}

func (s sluiceStore) onNode(node string) int {
	n := 0
	for pod := range s.byNode.Lookup(node) {
		if pod.Name != "" {
			n++
		}
	}
	return n
}

func (s sluiceStore) update(pod *corev1.Pod) {
	s.indexer.Apply(cache.Batch[*corev1.Pod]{Deltas: []cache.Delta[*corev1.Pod]{
		{Type: cache.DeltaUpdated, Object: pod},
	}})
}

type clientGoStore struct{ clientgo.Indexer }

func newClientGoStore() store {
	return clientGoStore{clientgo.NewIndexer(clientgo.MetaNamespaceKeyFunc, clientgo.Indexers{
		"node": func(obj any) ([]string, error) { return []string{obj.(*corev1.Pod).Spec.NodeName}, nil },
	})}
}

func (s clientGoStore) get(namespace, name string) *corev1.Pod {
	obj, _, _ := s.GetByKey(namespace + "/" + name)
	return obj.(*corev1.Pod)
}

func (s clientGoStore) list() int {
	n := 0
	for _, obj := range s.List() {
		pod := obj.(*corev1.Pod)
		if pod.Name != "" {
			n++
		}
	}
	return n
}

func (s clientGoStore) onNode(node string) int {
	objects, _ := s.ByIndex("node", node)
	n := 0
	for _, obj := range objects {
		pod := obj.(*corev1.Pod)
		if pod.Name != "" {
			n++
		}
	}
	return n
}

func (s clientGoStore) update(pod *corev1.Pod) { _ = s.Update(pod) }

func pod(i, version int) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       "namespace-" + strconv.Itoa(i%100),
			Name:            "pod-" + strconv.Itoa(i),
			UID:             types.UID(strconv.Itoa(i)),
			ResourceVersion: strconv.Itoa(version),
		},
		Spec: corev1.PodSpec{NodeName: node(i)},
	}
}

func node(i int) string { return fmt.Sprintf("node-%d", i/podsPerNode) }

func eachStore(b *testing.B, work func(b *testing.B, s store, pods []*corev1.Pod)) {
	b.Helper()
	pods := make([]*corev1.Pod, storeSize)
	for i := range pods {
		pods[i] = pod(i, 1)
	}
	for _, implementation := range []struct {
		name string
		make func() store
	}{{"sluice", newSluiceStore}, {"client-go", newClientGoStore}} {
		b.Run("impl="+implementation.name, func(b *testing.B) {
			s := implementation.make()
			for _, pod := range pods {
				s.update(pod)
			}
			b.ReportAllocs()
			work(b, s, pods)
		})
	}
}

func BenchmarkStoreGet(b *testing.B) {
	eachStore(b, func(b *testing.B, s store, pods []*corev1.Pod) {
		for i := 0; b.Loop(); i++ {
			want := pods[i%len(pods)]
			if got := s.get(want.Namespace, want.Name); got != want {
				b.Fatalf("got %v, want %v", got, want)
			}
		}
	})
}

func BenchmarkStoreList(b *testing.B) {
	eachStore(b, func(b *testing.B, s store, _ []*corev1.Pod) {
		for b.Loop() {
			if got := s.list(); got != storeSize {
				b.Fatalf("%d objects", got)
			}
		}
	})
}

func BenchmarkStoreByIndex(b *testing.B) {
	eachStore(b, func(b *testing.B, s store, _ []*corev1.Pod) {
		for i := 0; b.Loop(); i++ {
			if got := s.onNode(node(i % storeSize)); got != podsPerNode {
				b.Fatalf("%d objects", got)
			}
		}
	})
}

func BenchmarkStoreUpdate(b *testing.B) {
	eachStore(b, func(b *testing.B, s store, pods []*corev1.Pod) {
		versions := [2][]*corev1.Pod{pods, make([]*corev1.Pod, len(pods))}
		for i := range versions[1] {
			versions[1][i] = pod(i, 2)
		}
		for i := 0; b.Loop(); i++ {
			s.update(versions[(i/len(pods)+1)%2][i%len(pods)])
		}
	})
}
