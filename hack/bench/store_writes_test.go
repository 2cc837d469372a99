package bench

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func BenchmarkStoreGetUnderWrites(b *testing.B) {
	storeContest{}.run(b, getUnderWrites)
}

func BenchmarkStoreWriteStall(b *testing.B) {
	for _, reader := range []struct {
		name  string
		visit func(store) int
	}{{"listing", store.count}, {"names", store.list}, {"none", nil}} {
		contest, work := storeContest{variant: "reader=" + reader.name}, writeBeside(reader.visit)
		contest.run(b, work)
		b.Run(join("impl=floor", contest.variant), func(b *testing.B) {
			b.ReportAllocs()
			work(b, newGarbageStore, fleet(storeSize).pods(1))
		})
	}
}

// A garbageStore is the floor for the longest write: an update puts the pod into a map and allocates as much as one of Sluice
// does. It waits for no reader and no lock, so its longest update has waited for the processor: on two of them the garbage
// collector, the reader and other processes take it for milliseconds at a time.
type garbageStore struct {
	*floorStore
	garbage []byte
}

func newGarbageStore() store { return &garbageStore{floorStore: &floorStore{}} }

func (s *garbageStore) update(pod *corev1.Pod) {
	s.garbage = make([]byte, 320)
	s.floorStore.update(pod)
}

func (s *garbageStore) count() int {
	n := 0
	for _, pod := range s.all {
		if pod != nil {
			n++
		}
	}
	return n
}

// getUnderWrites reads with one goroutine for each processor while one more writes flat out, for which they compete. What
// the writer allocates counts as well: an operation is one get and the writes that happen meanwhile.
func getUnderWrites(b *testing.B, open func() store, pods []*corev1.Pod) {
	s := filled(open, pods)
	all := lookups(pods, stored, foreignKey)
	updates := revisionsOf(pods, stored)
	var last *corev1.Pod
	var readers atomic.Int64

	writer := repeat(func() {
		last = updates.pod()
		s.update(last)
	})
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		next := rotation[lookup]{keys: all, at: len(all) / 64 * int(readers.Add(1)%64)}
		for pb.Next() {
			lookup := next.key()
			got := s.get(lookup.key)
			// One name in 64 is looked at, because its memory may take longer to arrive than the get.
			if got == nil || next.at%64 == 0 && got.Name != lookup.key.Name {
				b.Errorf("%v: got %v", lookup.key, got)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(writer.stop(), "writes/s")
	wantStored(b, s, last)
}

// writeBeside updates one pod after the other, and notes the longest update, beside a reader that calls visit in a loop, or
// alone when that is nil. Taking the time of each update is part of the mean. What the reader allocates counts as well.
//
// With client-go the reader hinders the writer while it copies the list. When it asks for the next list at once, the writer
// gets to one update between two lists; while the reader waits for the memory of 100 000 pods, to thousands.
func writeBeside(visit func(store) int) storeWorkload {
	return func(b *testing.B, open func() store, pods []*corev1.Pod) {
		s := filled(open, pods)
		if visit != nil {
			want := visit(s)
			reader := repeat(func() {
				if got := visit(s); got != want {
					b.Errorf("a visit of all pods yields %d, before the updates %d", got, want)
				}
			})
			defer func() { b.ReportMetric(reader.stop(), "lists/s") }()
		}
		next := revisionsOf(pods, stored)
		var last *corev1.Pod
		var worst time.Duration
		for b.Loop() {
			last = next.pod()
			start := time.Now()
			s.update(last)
			worst = max(worst, time.Since(start))
		}
		b.ReportMetric(float64(worst), "worst-ns")
		wantStored(b, s, last)
	}
}

// A repetition calls a function again and again in a goroutine of its own.
type repetition struct {
	start    time.Time
	calls    int
	stopping atomic.Bool
	over     sync.WaitGroup
}

// repeat returns when the first call is over.
func repeat(call func()) *repetition {
	r := &repetition{}
	started := make(chan struct{})
	r.over.Go(func() {
		call()
		r.start = time.Now()
		close(started)
		for !r.stopping.Load() {
			call()
			r.calls++
		}
	})
	<-started
	return r
}

// stop returns how many calls there were per second. It waits for the one that is under way.
func (r *repetition) stop() float64 {
	r.stopping.Store(true)
	r.over.Wait()
	return float64(r.calls) / time.Since(r.start).Seconds()
}
