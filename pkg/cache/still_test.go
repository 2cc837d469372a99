package cache

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A subscriber holds still while millions of events pass. The memory stays what it was after the first of them.
func TestAStillSubscriberTakesNoMemory(t *testing.T) {
	const keys, rounds = 10_000, 10
	events := 10_000_000
	if raceEnabled {
		events = 1_000_000
	}
	indexer := NewIndexer[cm]()
	fifo, out := NewDeltaFIFO(indexer), newFanOut(indexer.Snapshot())
	apply := func() {
		batch, _ := fifo.swap()
		out.tell(indexer.Apply(batch), indexer.Snapshot(), batch.Replaced)
	}
	fifo.Replace(nil, "1")
	apply()
	still := out.join(0, someTime)
	names := make([]string, keys)
	for n := range names {
		names[n] = fmt.Sprint("object-", n)
	}

	version := 1
	var first uint64
	for round := range rounds {
		for range events / rounds {
			version++
			fifo.Update(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
				Namespace: "ns", Name: names[version%keys], UID: "u", ResourceVersion: strconv.Itoa(version),
			}})
			if version%5000 == 0 { // the consumer is slow, too: the FIFO merges
				apply()
			}
		}
		apply()
		heap := heapInUse()
		if round == 0 {
			first = heap
		}
		t.Logf("after %d events: %d KiB, %d events pending", version-1, heap/1024, still.pending())
		if heap > first+first/4+1<<20 {
			t.Fatalf("after %d events the heap has %d bytes, after the first tenth %d", version-1, heap, first)
		}
		if got := still.pending(); got > 2*keys+maxLag {
			t.Fatalf("%d events wait, want at most two for each of %d objects", got, keys)
		}
	}

	seen := newReplayer(t)
	for p, ok := still.take(); ok; p, ok = still.take() {
		for event := range p.all() {
			seen.apply(event)
		}
	}
	for obj := range indexer.All() {
		if seen.objects[KeyOf(obj)] != obj {
			t.Fatalf("the last state of %q was not seen", obj.Name)
		}
	}
	if len(seen.objects) != keys {
		t.Errorf("%d objects were seen, want %d", len(seen.objects), keys)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
