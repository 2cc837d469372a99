package transform_test

import (
	"encoding/json"
	"runtime"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/transform"
)

// The kinds of pods that are measured.
var podKinds = []struct {
	name   string
	newPod func(workload, n int) *corev1.Pod
}{
	{"created", createdPod},
	{"running", runningPod},
}

const workloads = 200

func BenchmarkShare(b *testing.B) {
	for _, pods := range podKinds {
		b.Run("pods="+pods.name, func(b *testing.B) {
			benchmarkTransform(b, transform.Share[*corev1.Pod](), pods.newPod)
		})
	}
}

func BenchmarkIntern(b *testing.B) {
	for _, pods := range podKinds {
		b.Run("pods="+pods.name, func(b *testing.B) {
			benchmarkTransform(b, transform.Intern[*corev1.Pod](), pods.newPod)
		})
	}
}

// BenchmarkDeepCopy is what the others are compared with: it also walks the object once, and allocates what they share.
func BenchmarkDeepCopy(b *testing.B) {
	for _, pods := range podKinds {
		b.Run("pods="+pods.name, func(b *testing.B) {
			benchmarkTransform(b, func(pod *corev1.Pod) (*corev1.Pod, error) { return pod.DeepCopy(), nil }, pods.newPod)
		})
	}
}

// benchmarkTransform calls a transform on pods of many workloads as they come from the wire, with managedFields stripped.
func benchmarkTransform(b *testing.B, f cache.Transform[*corev1.Pod], newPod func(workload, n int) *corev1.Pod) {
	b.Helper()
	var batch [20]*corev1.Pod // few enough to be in the processor's caches, as what was just decoded is
	decode := func(first int) {
		for n := range batch {
			batch[n] = decodePod(b, podJSON(b, newPod((first+n)%workloads, first+n)))
			batch[n].ManagedFields = nil
		}
	}
	for n := range workloads / len(batch) { // so that every workload was met
		decode(n * len(batch))
		for _, pod := range batch {
			_, _ = f(pod)
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(batch) == 0 {
			b.StopTimer()
			decode(i)
			b.StartTimer()
		}
		if _, err := f(batch[i%len(batch)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHeap reports the live heap of 20 000 pods of 200 workloads. They come from JSON, so each has memory of its own
// at first. One run is enough: -benchtime 1x.
func BenchmarkHeap(b *testing.B) {
	strip := transform.StripManagedFields[*corev1.Pod]
	for _, c := range []struct {
		name string
		make func() cache.Transform[*corev1.Pod]
	}{
		{"raw", func() cache.Transform[*corev1.Pod] { return transform.Chain[*corev1.Pod]() }},
		{"stripped", strip},
		{"interned", func() cache.Transform[*corev1.Pod] { return transform.Chain(strip(), transform.Intern[*corev1.Pod]()) }},
		{"shared", func() cache.Transform[*corev1.Pod] { return transform.Chain(strip(), transform.Share[*corev1.Pod]()) }},
	} {
		for _, pods := range podKinds {
			b.Run("pods="+pods.name+"/"+c.name, func(b *testing.B) {
				for b.Loop() {
					heap, size := heapOf(b, c.make(), pods.newPod, 20_000)
					b.ReportMetric(heap, "heap-B/object")
					b.ReportMetric(size, "JSON-B/object")
				}
			})
		}
	}
}

// heapOf returns the live heap and the size on the wire, in bytes per pod.
func heapOf(tb testing.TB, f cache.Transform[*corev1.Pod], newPod func(workload, n int) *corev1.Pod, count int) (heap, size float64) {
	tb.Helper()
	pods := make([]*corev1.Pod, count)
	before, bytes := liveHeap(), 0
	for i := range pods {
		data, err := json.Marshal(newPod(i%workloads, i))
		if err != nil {
			tb.Fatal(err)
		}
		bytes += len(data)
		if pods[i], err = f(decodePod(tb, data)); err != nil {
			tb.Fatal(err)
		}
	}
	heap, size = float64(liveHeap()-before)/float64(count), float64(bytes)/float64(count)
	runtime.KeepAlive(pods)
	runtime.KeepAlive(f)
	return heap, size
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // what was in a sync.Pool survives one
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
