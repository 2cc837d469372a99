package cache

import (
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func BenchmarkQuickGet(b *testing.B) {
	i := NewIndexer[*corev1.Pod]()
	m := map[types.NamespacedName]*corev1.Pod{}
	var keys []types.NamespacedName
	for n := range 100_000 {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns-" + strconv.Itoa(n%100), Name: "pod-name-" + strconv.Itoa(n), ResourceVersion: "1"}}
		i.Add(pod)
		m[KeyOf(pod)] = pod
		if n%100 == 0 {
			keys = append(keys, types.NamespacedName{Namespace: "ns-" + strconv.Itoa(n%100), Name: "pod-name-" + strconv.Itoa(n)})
		}
	}
	b.Run("map", func(b *testing.B) {
		n := 0
		for b.Loop() {
			if m[keys[n]] == nil {
				b.Fatal()
			}
			n++
			if n == len(keys) {
				n = 0
			}
		}
	})
	b.Run("indexer", func(b *testing.B) {
		n := 0
		for b.Loop() {
			if _, ok := i.Get(keys[n]); !ok {
				b.Fatal()
			}
			n++
			if n == len(keys) {
				n = 0
			}
		}
	})
	s := i.Snapshot()
	b.Run("snapshot", func(b *testing.B) {
		n := 0
		for b.Loop() {
			if _, ok := s.Get(keys[n]); !ok {
				b.Fatal()
			}
			n++
			if n == len(keys) {
				n = 0
			}
		}
	})
}
