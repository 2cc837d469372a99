package transform_test

import (
	"encoding/json"
	"runtime"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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

// benchmarkTransform calls a transform on pods of many workloads, each right after it was decoded, with managedFields
// stripped, and reports only the time of the transform: the mean, and the median, which other processes disturb less.
func benchmarkTransform(b *testing.B, f cache.Transform[*corev1.Pod], newPod func(workload, n int) *corev1.Pod) {
	b.Helper()
	var spent []time.Duration
	transformed := func(n int) {
		pod := decodePod(b, podJSON(b, newPod(n%workloads, n)))
		pod.ManagedFields = nil
		start := time.Now()
		if _, err := f(pod); err != nil {
			b.Fatal(err)
		}
		spent = append(spent, time.Since(start))
	}
	for n := range workloads { // so that every workload was met
		transformed(n)
	}
	spent = spent[:0]
	for n := 0; b.Loop(); n++ {
		transformed(n)
	}
	var sum time.Duration
	for _, d := range spent {
		sum += d
	}
	slices.Sort(spent)
	b.ReportMetric(float64(sum)/float64(b.N), "ns/op")
	b.ReportMetric(float64(spent[len(spent)/2]), "median-ns")
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
					heap, size := heapOf(b, c.make(), decodePod, pods.newPod)
					b.ReportMetric(heap, "heap-B/object")
					b.ReportMetric(size, "JSON-B/object")
				}
			})
		}
	}
}

// BenchmarkHeapUnstructured reports the same for unstructured objects.
func BenchmarkHeapUnstructured(b *testing.B) {
	strip := transform.StripManagedFields[*unstructured.Unstructured]()
	for _, c := range []struct {
		name string
		f    cache.Transform[*unstructured.Unstructured]
	}{
		{"stripped", strip},
		{"interned", transform.Chain(strip, transform.Intern[*unstructured.Unstructured]())},
		{"shared", transform.Chain(strip, transform.Share[*unstructured.Unstructured]())},
	} {
		b.Run("pods=created/"+c.name, func(b *testing.B) {
			for b.Loop() {
				heap, _ := heapOf(b, c.f, decodeUnstructured, createdPod)
				b.ReportMetric(heap, "heap-B/object")
			}
		})
	}
}

// heapOf returns the live heap and the size on the wire, in bytes per pod.
func heapOf[T cache.Object](tb testing.TB, f cache.Transform[T], decode func(testing.TB, []byte) T,
	newPod func(workload, n int) *corev1.Pod,
) (heap, size float64) {
	tb.Helper()
	const count = 20_000
	pods := make([]T, count)
	before, bytes := liveHeap(), 0
	for i := range pods {
		data, err := json.Marshal(newPod(i%workloads, i))
		if err != nil {
			tb.Fatal(err)
		}
		bytes += len(data)
		if pods[i], err = f(decode(tb, data)); err != nil {
			tb.Fatal(err)
		}
	}
	heap, size = float64(liveHeap()-before)/count, float64(bytes)/count
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
