package bench

import (
	"runtime"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// sizes are those between which the cost of an operation, and of an object, should not grow.
func sizes() []int { return []int{10_000, 100_000, 1_000_000} }

func BenchmarkStoreGrowthGet(b *testing.B)    { grow(b, true, getOne(hot, foreignKey)) }
func BenchmarkStoreGrowthUpdate(b *testing.B) { grow(b, true, updateOne(hot)) }
func BenchmarkStoreGrowthFill(b *testing.B)   { grow(b, false, fill) }

func grow(b *testing.B, floor bool, work storeWorkload) {
	for _, size := range sizes() {
		storeContest{variant: "objects=" + strconv.Itoa(size), size: size, floor: floor}.run(b, work)
	}
}

// fill puts all pods into a new store. It reports the heap that the store takes for each, pods not included.
func fill(b *testing.B, open func() store, pods []*corev1.Pod) {
	before := liveHeap()
	var s store
	for b.Loop() {
		s = filled(open, pods)
	}
	b.ReportMetric(float64(liveHeap()-before)/float64(len(pods)), "heap-B/object")
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(len(pods)), "ns/object")
	wantVersions(b, s, len(pods), "1")
}

// liveHeap collects twice: what a sync.Pool holds survives the first time.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
