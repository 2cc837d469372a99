package cache

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
	"weak"

	corev1 "k8s.io/api/core/v1"
)

// put sets an object that only the cache and the log know.
func (r relay) put(name, version string) weak.Pointer[corev1.ConfigMap] {
	obj := configMap(name, "u", version)
	r.apply(set(obj))
	return weak.Make(obj)
}

// isGone says whether an object is no longer in memory.
func (r relay) isGone(p weak.Pointer[corev1.ConfigMap]) bool {
	runtime.GC()
	runtime.KeepAlive(r)
	return p.Value() == nil
}

// waitUntilGone waits for other goroutines to let an object go. The test's deadline ends it.
func waitUntilGone(p weak.Pointer[corev1.ConfigMap]) {
	for p.Value() != nil {
		runtime.GC()
	}
}

// The objects of before the last events are not needed by those who have taken these. The indexer, which may put letting go
// off, has no part in it.
func TestAnIdleInformerKeepsNoOldObjects(t *testing.T) {
	r := newRelay()
	f := r.out.join(0, time.Time{})
	drain(f)
	old := func() weak.Pointer[corev1.ConfigMap] {
		event := Event[cm]{Type: Updated, Key: nsKey("a"), Old: configMap("a", "u", "1"), Object: configMap("a", "u", "2")}
		r.out.tell([]Event[cm]{event}, r.indexer.Snapshot(), false)
		return weak.Make(event.Old)
	}()
	if r.isGone(old) {
		t.Fatal("the old state in an event that waits is gone: the test shows nothing")
	}
	drain(f)
	if !r.isGone(old) {
		t.Error("the old state in an event that was taken is still in memory")
	}
	runtime.KeepAlive(f)
}

// A loop that is yet to begin, of an informer that runs.
func TestWhoHasNotBegunBeginsLater(t *testing.T) {
	r := newRelay()
	old := r.put("a", "1")
	f := r.out.join(time.Second, time.Time{})
	r.resync(time.Time{}.Add(time.Second))
	for version := range 2 * maxLag {
		r.put("a", fmt.Sprint(2+version))
	}
	if !r.isGone(old) {
		t.Error("the first state is kept for one who has not begun")
	}
	got := drain(f)
	if want := fmt.Sprintf("Updated a@%d", 1+2*maxLag); got[len(got)-1] != want {
		t.Errorf("the last event is %q, want %q", got[len(got)-1], want)
	}
	if len(got) > maxLag+3 {
		t.Errorf("%d events waited", len(got))
	}
}

func TestALongBatchIsCut(t *testing.T) {
	indexer := NewIndexer[cm]()
	r := relay{indexer, newFanOut(indexer.Snapshot())}
	f := r.out.join(0, time.Time{})
	var deltas []Delta[cm]
	for n := range 2*maxSegment + 1 {
		deltas = append(deltas, set(configMap(fmt.Sprint(n), "u", "1")))
	}
	r.out.tell(indexer.Apply(batchOf(deltas...)), indexer.Snapshot(), true)
	var lengths []int
	for p, ok := f.take(); ok; p, ok = f.take() {
		lengths = append(lengths, p.len())
		if last := len(lengths) == 3; p.initial != last {
			t.Errorf("portion %d says initial: %v", len(lengths), p.initial)
		}
	}
	if want := []int{maxSegment, maxSegment, 1}; !slices.Equal(lengths, want) {
		t.Errorf("the portions have %v events, want %v", lengths, want)
	}
}

// The test is in the place of a merge that takes long. Whoever waits for it hangs.
func TestNobodyWaitsUntilEventsAreMerged(t *testing.T) {
	r := newRelay()
	slow, fast := r.out.join(0, time.Time{}), r.out.join(0, time.Time{})
	slow.maxLag = 0
	r.put("a", "1")
	drain(fast)
	<-fast.wake
	slow.mu.Lock()
	told := make(chan struct{})
	go func() {
		defer close(told)
		r.put("a", "2")
	}()
	<-fast.wake
	if got := fmt.Sprint(drain(fast)); got != "[Updated a@2]" {
		t.Errorf("the fast one got %s", got)
	}
	late := r.out.join(0, time.Time{})
	if got := fmt.Sprint(drain(late)); got != "[Added a@2 initial]" {
		t.Errorf("one who joins meanwhile got %s", got)
	}
	r.out.leave(late)
	slow.mu.Unlock()
	<-told
	if got := fmt.Sprint(drain(slow)); got != "[Added a@2 initial]" && got != "[Added a@2]" {
		t.Errorf("the slow one got %s", got)
	}
}

// A resync of one who is behind takes no merging: it comes after what was merged, of the moment up to which that was.
func TestAResyncOfOneWhoIsBehindIsPutOff(t *testing.T) {
	r := newRelay()
	r.put("a", "1")
	f := r.out.join(time.Second, time.Time{})
	f.maxLag = 0
	drain(f)
	r.put("a", "2")
	r.resync(time.Time{}.Add(time.Second))
	r.put("a", "3")
	r.put("a", "4")
	if got := fmt.Sprint(f.pending(), drain(f)); got != "2 [Updated a@4 Updated a@4 resync]" {
		t.Errorf("pending was %s", got)
	}
}

// Under the race detector.
func TestLeavingWhileEventsAreMerged(t *testing.T) {
	r := newRelay()
	var users sync.WaitGroup
	done := make(chan struct{})
	users.Go(func() {
		for version := range 3000 {
			r.put("a", fmt.Sprint(1+version))
		}
		close(done)
	})
	for range 2 {
		users.Go(func() {
			for !isClosed(done) {
				f := r.out.join(0, time.Time{})
				f.mu.Lock()
				f.maxLag = 0
				f.mu.Unlock()
				drain(f)
				r.out.leave(f)
				if f.pending() != 0 {
					t.Error("events wait for one who left")
				}
			}
		})
	}
	users.Wait()
	if got := len(r.out.feeds); got != 0 {
		t.Errorf("%d feeds are left", got)
	}
}

// An informer that has nothing to do holds one state of each object, though nobody reads its cache.
func TestAnIdleInformerHoldsOneState(t *testing.T) {
	s := newLiveServer()
	i := newTestInformer(s)
	states := make(chan weak.Pointer[corev1.ConfigMap], 10)
	i.Subscribe("watches", func(_ context.Context, event Event[cm]) {
		if event.Type == Updated {
			states <- weak.Make(event.Object)
		}
	})
	stop := start(t, i)
	defer stop()
	s.stream.Modify(configMap("a", "u", "6"))
	s.stream.Modify(configMap("a", "u", "7"))
	waitUntilGone(<-states)
}
