package cache

import (
	"fmt"
	"runtime"
	"testing"
	"time"
	"weak"

	corev1 "k8s.io/api/core/v1"
)

// A relay is an indexer with a log, without goroutines.
type relay struct {
	indexer *Indexer[cm]
	out     *fanOut[cm]
}

func newRelay() relay {
	indexer := NewIndexer[cm]()
	r := relay{indexer, newFanOut(indexer.Snapshot())}
	r.out.tell(nil, indexer.Snapshot(), true)
	return r
}

func (r relay) apply(deltas ...Delta[cm]) {
	events := r.indexer.Apply(batchOf(deltas...))
	r.out.tell(events, r.indexer.Snapshot(), false)
}

func (r relay) resync(at time.Time) {
	if r.out.beginResync(at) {
		r.out.finishResync()
	}
}

// drain takes all that waits, and writes it down.
func drain(f *feed[cm]) (entries []string) {
	for {
		p, ok := f.take()
		if !ok {
			return entries
		}
		for event := range p.all() {
			entries = append(entries, entryOf(event))
		}
	}
}

// length returns how many segments the feed keeps alive.
func (f *feed[T]) length() (n int) {
	for s := f.at.next.Load(); s != nil; s = s.end.next.Load() {
		n++
	}
	return n
}

// Somebody still has a subscription that was closed long ago.
func TestAClosedSubscriptionKeepsNothing(t *testing.T) {
	r := newRelay()
	r.apply(set(configMap("a", "u", "1")))
	f := r.out.join(0, time.Time{})
	r.apply(set(configMap("a", "u", "2")))
	r.out.leave(f)
	r.apply(set(configMap("a", "u", "3")))
	r.apply(set(configMap("a", "u", "4")))
	if f.length() > 0 || f.pending() != 0 {
		t.Errorf("%d segments and %d events are kept for nobody", f.length(), f.pending())
	}
	if got := drain(f); got != nil {
		t.Errorf("got %q after leaving", got)
	}
	runtime.KeepAlive(f)
}

func TestTheLogIsLetGo(t *testing.T) {
	r := newRelay()
	f := r.out.join(0, time.Time{})
	gone := func() weak.Pointer[corev1.ConfigMap] {
		obj := configMap("a", "u", "1")
		r.apply(set(obj))
		return weak.Make(obj)
	}()
	r.apply(remove(configMap("a", "u", "2")))
	r.apply(set(configMap("b", "u", "3")))
	drain(f)
	r.apply(set(configMap("b", "u", "4")))
	drain(f)
	runtime.GC()
	if gone.Value() != nil {
		t.Error("an object that is in no snapshot and waits for nobody is still in memory")
	}
	runtime.KeepAlive(r)
}

// A quiet subscriber beside one that is told everything again each second.
func TestResyncsOfOthersTakeNoMemory(t *testing.T) {
	r := newRelay()
	r.apply(set(configMap("a", "u", "1")))
	quiet, often := r.out.join(0, time.Time{}), r.out.join(time.Second, time.Time{})
	drain(quiet)
	drain(often)
	for second := range 1000 {
		r.resync(time.Time{}.Add(time.Duration(1+second) * time.Second))
		if got := fmt.Sprint(drain(often)); got != "[Updated a@1 resync]" {
			t.Fatalf("the resync brought %s", got)
		}
	}
	if got := quiet.length(); got > 0 {
		t.Errorf("%d segments wait for the quiet subscriber, want none for what it is not told", got)
	}
}

func TestAResyncIsOfItsMomentInTheLog(t *testing.T) {
	r := newRelay()
	r.apply(set(configMap("a", "u", "1")))
	f := r.out.join(time.Second, time.Time{})
	drain(f)
	r.apply(set(configMap("a", "u", "2")))
	r.resync(time.Time{}.Add(time.Second))
	r.resync(time.Time{}.Add(2 * time.Second)) // one waits
	r.apply(set(configMap("a", "u", "3")))
	if got := f.pending(); got != 3 {
		t.Errorf("%d events are pending, want 3", got)
	}
	if got := fmt.Sprint(drain(f)); got != "[Updated a@2 Updated a@2 resync Updated a@3]" {
		t.Errorf("got %s", got)
	}
	r.resync(time.Time{}.Add(3 * time.Second)) // none waits any more
	if got := fmt.Sprint(drain(f)); got != "[Updated a@3 resync]" {
		t.Errorf("got %s", got)
	}
}

func TestAResyncIsMergedForASlowSubscriber(t *testing.T) {
	r := newRelay()
	r.apply(set(configMap("a", "u", "1")), set(configMap("b", "u", "1")))
	f := r.out.join(time.Second, time.Time{})
	drain(f)
	for version := range 2 * maxLag {
		r.apply(set(configMap("a", "u", fmt.Sprint(2+version))))
		if version%1000 == 0 {
			r.resync(time.Time{}.Add(time.Duration(1+version) * time.Second))
		}
	}
	r.apply(remove(configMap("a", "u", "100000")))
	if got := fmt.Sprint(drain(f)); got != "[Deleted a@100000 Updated b@1 resync]" {
		t.Errorf("got %s", got)
	}
	r.resync(time.Time{}.Add(time.Hour * 24))
	if got := fmt.Sprint(drain(f)); got != "[Updated b@1 resync]" {
		t.Errorf("got %s: the one before was taken", got)
	}
}

// What client-go's fake clientsets send as news has the version that is known.
func TestNewsOfTheSameVersionIsNotMergedAway(t *testing.T) {
	r := newRelay()
	r.indexer.unchanged = true
	b := newBacklog[cm]()
	first, second := configMap("a", "u", "1"), configMap("a", "u", "1")
	for _, obj := range []cm{first, second} {
		for _, event := range r.indexer.Apply(batchOf(set(obj))) {
			b.push(event)
		}
	}
	for event := range b.all() {
		if event.Object != second || event.Type != Added || event.Resync {
			t.Errorf("what waits is %s, and not what is cached now", entryOf(event))
		}
	}
}

func TestASubscriberThatMergesItsInitialEventsSyncsAllTheSame(t *testing.T) {
	indexer := NewIndexer[cm]()
	r := relay{indexer, newFanOut(indexer.Snapshot())}
	f := r.out.join(0, time.Time{})
	f.maxLag = 1
	r.out.tell(indexer.Apply(batchOf(set(configMap("a", "u", "1")))), indexer.Snapshot(), true)
	for version := range 5 {
		r.apply(set(configMap("a", "u", fmt.Sprint(2+version))))
	}
	if p, ok := f.take(); !ok || !p.initial || p.behind == nil {
		t.Errorf("took %+v, want what was merged, initial events included", p)
	}
}
