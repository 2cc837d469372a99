package cache

import (
	"maps"
	"testing"
	"testing/synctest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
)

// What a relist finds unchanged is neither decoded nor transformed again, and stays the same object in memory.
func TestARelistReusesWhatIsUnchanged(t *testing.T) {
	for name, prepare := range map[string]func(*simulator){"list": abListed, "initial events": ab} {
		t.Run(name, func(t *testing.T) {
			transformed := counter{}
			simulate(t, Config{}, prepare, func(t *testing.T, s *simulator, i *Informer[cm]) {
				a, _ := i.Indexer().Get(nsKey("a"))
				s.change(func() { s.drops = func(StreamEvent[cm]) bool { return true } })
				s.put("ns", "b") // @13
				s.put("ns", "c") // @14
				s.cut("", apierrors.NewResourceExpired("too old"))
				s.follows(t, i, "ns")
				if got, _ := i.Indexer().Get(nsKey("a")); got != a {
					t.Error("the relist replaced an object that has not changed")
				}
				counter(s.decoded).want(t, "a@11", "b@12", "b@13", "c@14")
				transformed.want(t, "a@11", "b@12", "b@13", "c@14")
				if got := i.Status(); got.Lists != 2 || got.Listed != 3 {
					t.Errorf("%d lists, %d listed, want 2 and 3", got.Lists, got.Listed)
				}
			}, transformed.count)
		})
	}
}

// Where a server repeats an event in the stream that began with initial events, the cached object may stand for it.
func TestARepeatedEventIsNotTransformedAgain(t *testing.T) {
	transformed := counter{}
	simulate(t, Config{}, ab, func(t *testing.T, s *simulator, i *Informer[cm]) {
		a, _ := i.Indexer().Get(nsKey("a"))
		s.mu.Lock()
		s.sendLocked(StreamEvent[cm]{watch.Modified, s.objects[nsKey("a")]})
		s.mu.Unlock()
		s.follows(t, i, "ns")
		transformed.want(t, "a@11", "b@12")
		if got, _ := i.Indexer().Get(nsKey("a")); got != a {
			t.Error("the object was replaced")
		}
	}, transformed.count)
}

// Who wants to hear of what is unchanged may have another state under the same version, so nothing is reused.
func TestNotifyUnchangedReusesNothing(t *testing.T) {
	var seen log
	simulate(t, Config{NotifyUnchanged: true}, abListed, func(t *testing.T, s *simulator, i *Informer[cm]) {
		i.Subscribe("s", seen.handle)
		synctest.Wait()
		seen.mu.Lock()
		seen.entries = nil
		seen.mu.Unlock()
		s.cut("", apierrors.NewResourceExpired("too old"))
		seen.next(t, "Updated a@11 resync", "Updated b@12 resync")
		if want := map[string]int{"a@11": 2, "b@12": 2}; !maps.Equal(s.decoded, want) {
			t.Errorf("decoded were %v, want %v", s.decoded, want)
		}
	})
}
