package bench

import (
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

const (
	fewKeys       = 1000
	backlogKeys   = 100_000
	contendedKeys = 10_000
	workers       = 64
	producers     = 2
)

func BenchmarkQueueAddGetDone(b *testing.B) {
	contest[types.NamespacedName]{keys: requestKeys(), floor: true}.run(b, addGetDone)
	contest[types.NamespacedName]{keys: requestKeys(), metrics: true}.run(b, addGetDone)
	contest[string]{keys: stringKeys(), floor: true}.run(b, addGetDone)
}

func BenchmarkQueueDeepBacklog(b *testing.B) {
	contest[types.NamespacedName]{keys: requestKeys(), floor: true}.run(b, deepBacklog)
	contest[types.NamespacedName]{keys: requestKeys(), metrics: true}.run(b, deepBacklog)
	contest[string]{keys: stringKeys(), floor: true}.run(b, deepBacklog)
}

func BenchmarkQueueManyKeys(b *testing.B) {
	contest[types.NamespacedName]{keys: requestKeys(), floor: true}.run(b, manyKeys)
}

func BenchmarkQueueDuplicateAdd(b *testing.B) {
	contest[types.NamespacedName]{keys: requestKeys(), floor: true}.run(b, duplicateAdd)
	contest[types.NamespacedName]{keys: requestKeys(), metrics: true}.run(b, duplicateAdd)
	contest[string]{keys: stringKeys(), floor: true}.run(b, duplicateAdd)
}

func BenchmarkQueueContended(b *testing.B) {
	contest[types.NamespacedName]{keys: requestKeys()}.run(b, contended)
	contest[types.NamespacedName]{keys: requestKeys(), metrics: true}.run(b, contended)
	contest[string]{keys: stringKeys()}.run(b, contended)
}

func BenchmarkQueueRetryCycle(b *testing.B) {
	contest[types.NamespacedName]{keys: requestKeys()}.run(b, retryCycle)
	contest[types.NamespacedName]{keys: requestKeys(), metrics: true}.run(b, retryCycle)
	contest[string]{keys: stringKeys()}.run(b, retryCycle)
}

func BenchmarkQueueAddAfter(b *testing.B) {
	contest[types.NamespacedName]{keys: requestKeys()}.run(b, addAfter)
	contest[types.NamespacedName]{keys: requestKeys(), metrics: true}.run(b, addAfter)
	contest[string]{keys: stringKeys()}.run(b, addAfter)
}

func BenchmarkQueueAddAfterEarlier(b *testing.B) {
	contest[types.NamespacedName]{keys: requestKeys()}.run(b, addAfterEarlier)
}

// addGetDone is the life of a key in a queue that keeps up: it is added, taken and done before the next one comes.
func addGetDone[K comparable](b *testing.B, q workQueue[K], keys keySet[K]) {
	cycle(b, q, keys.list(fewKeys))
}

// manyKeys is addGetDone with so many keys that a queue cannot remember them all when they are done.
func manyKeys[K comparable](b *testing.B, q workQueue[K], keys keySet[K]) {
	cycle(b, q, keys.list(backlogKeys))
}

func cycle[K comparable](b *testing.B, q workQueue[K], keys []K) {
	defer q.ShutDown()
	next := rotation[K]{keys: keys}
	for b.Loop() {
		key := next.key()
		q.Add(key)
		if got, _ := q.Get(); got != key {
			b.Fatalf("took %v, want %v", got, key)
		}
		q.Done(key)
	}
	wantLen(b, q, 0)
}

// deepBacklog is the same in a queue that does not keep up. Each key waits for its turn behind all others.
func deepBacklog[K comparable](b *testing.B, q workQueue[K], keys keySet[K]) {
	defer q.ShutDown()
	next := rotation[K]{keys: keys.list(backlogKeys)}
	for _, key := range next.keys {
		q.Add(key)
	}
	wantLen(b, q, backlogKeys)
	for b.Loop() {
		key := next.key()
		if got, _ := q.Get(); got != key {
			b.Fatalf("took %v, want %v", got, key)
		}
		q.Done(key)
		q.Add(key)
	}
	wantLen(b, q, backlogKeys)
}

// duplicateAdd adds keys that are queued already. It rotates over many, because that is what a burst of events does: the
// entry of one key alone would never leave the processor's first cache.
func duplicateAdd[K comparable](b *testing.B, q workQueue[K], keys keySet[K]) {
	defer q.ShutDown()
	next := rotation[K]{keys: keys.list(fewKeys)}
	for _, key := range next.keys {
		q.Add(key)
	}
	wantLen(b, q, fewKeys)
	for b.Loop() {
		q.Add(next.key())
	}
	b.StartTimer() // what is only noted so far belongs to the work: controller-runtime merges it in Len at the latest
	wantLen(b, q, fewKeys)
	b.StopTimer()
	for _, want := range next.keys {
		if got, _ := q.Get(); got != want {
			b.Fatalf("took %v, want %v", got, want)
		}
		q.Done(want)
	}
	wantLen(b, q, 0)
}

// contended measures the time for one run of a key while many workers and some producers use the queue.
//
// The work comes in bursts: each producer adds its half of the keys once, in turn, while the workers take them and call
// them done. The next burst starts when the last run of this one is over. So no key is added while it waits or runs, no
// two adds can merge, every implementation has to do exactly b.N runs for b.N adds, and the backlog has a bound. The
// last burst is as short as b.N asks for. The bursts' own cost is one atomic addition for each run.
func contended[K comparable](b *testing.B, q workQueue[K], keys keySet[K]) {
	burst := burst[K]{queue: q, keys: keys.list(contendedKeys), over: make(chan struct{})}
	sums := make([]int, workers)
	var pool sync.WaitGroup
	for worker := range sums {
		pool.Go(func() { sums[worker] = burst.work(viewOf(q), keys.index) })
	}
	burst.run(contendedKeys) // maps and slices grow before they are measured
	want := sumTo(contendedKeys)

	b.ResetTimer()
	for left := b.N; left > 0; {
		n := min(left, contendedKeys)
		burst.run(n)
		want += sumTo(n)
		left -= n
	}
	b.StopTimer()

	q.ShutDown()
	pool.Wait()
	got := 0
	for _, sum := range sums {
		got += sum
	}
	if got != want {
		b.Fatalf("the numbers of the keys that were run add up to %d, want %d", got, want)
	}
}

type burst[K comparable] struct {
	queue workQueue[K]
	keys  []K
	left  atomic.Int64  // runs of this burst that are not over
	over  chan struct{} // receives when there are none
}

// run adds the first n keys and returns when each of them was run.
func (b *burst[K]) run(n int) {
	b.left.Store(int64(n))
	for first := range producers {
		go func() {
			for i := first; i < n; i += producers {
				b.queue.Add(b.keys[i])
			}
		}()
	}
	<-b.over
}

// work runs keys until the queue is shut down, and returns the sum of their numbers.
func (b *burst[K]) work(queue workQueue[K], index func(K) int) (sum int) {
	for {
		key, shutDown := queue.Get()
		if shutDown {
			return sum
		}
		sum += index(key)
		queue.Done(key)
		if b.left.Add(-1) == 0 {
			b.over <- struct{}{}
		}
	}
}

// sumTo returns 0 + 1 + … + n-1.
func sumTo(n int) int { return n * (n - 1) / 2 }

// wantLen also makes sure that all adds so far have taken effect: see workQueue.
func wantLen[K comparable](tb testing.TB, q workQueue[K], want int) {
	tb.Helper()
	if got := q.Len(); got != want {
		tb.Fatalf("%d keys are ready, want %d", got, want)
	}
}
