package cache

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// A counter is a transform that counts how often it saw each state.
type counter map[string]int

func (c counter) count(obj cm) (cm, error) {
	c[obj.Name+"@"+obj.ResourceVersion]++
	return obj, nil
}

func (c counter) want(t *testing.T, states ...string) {
	t.Helper()
	want := counter{}
	for _, state := range states {
		want[state] = 1
	}
	if !maps.Equal(c, want) {
		t.Errorf("the counts are %v, want one each of %v", c, states)
	}
}

// follows checks that the informer has what the server has.
func (s *simulator) follows(t *testing.T, i *Informer[cm], namespaces ...string) {
	t.Helper()
	synctest.Wait()
	if got, want := cachedState(i), s.state(namespaces...); !slices.Equal(got, want) {
		t.Errorf("the cache has %q, the server %q", got, want)
	}
}

func wantRequests(t *testing.T, s *simulator, requests ...string) {
	t.Helper()
	synctest.Wait()
	if got := s.asked(); !slices.Equal(got, requests) {
		t.Errorf("the requests are %q, want %q", got, requests)
	}
}

// ab fills a server that knows WatchList with two objects.
func ab(s *simulator) {
	s.watchList = true
	s.put("ns", "a")
	s.put("ns", "b")
}

func TestInitialEventsThenChangesInOneStream(t *testing.T) {
	var seen log
	transformed := counter{}
	simulate(t, Config{}, func(s *simulator) {
		ab(s)
		s.initial = func(events []simEvent) []simEvent {
			slices.Reverse(events[:2]) // they come in no order
			return events
		}
	}, func(t trial, s *simulator, i *Informer[cm]) {
		i.Subscribe("s", seen.handle)
		if !i.HasSynced() || i.Indexer().ResourceVersion() != "12" {
			t.Errorf("synced: %v, at version %s, want 12", i.HasSynced(), i.Indexer().ResourceVersion())
		}
		s.put("ns", "c")
		s.put("ns", "a")
		s.remove("ns", "b")
		synctest.Wait()
		s.follows(t.T, i, "ns")
		wantRequests(t.T, s, "watch-list @")
		transformed.want(t.T, "a@11", "b@12", "c@13", "a@14", "b@15")
		if got := i.Status(); got.Lists != 1 || got.Watches != 1 || got.Listed != 2 || got.Events != 3 || !got.Connected {
			t.Errorf("the status is %+v", got)
		}
	}, transformed.count)
}

// What changes while the initial events come is among them. Of each object the last state counts, wherever it stands.
func TestChangesAmongInitialEvents(t *testing.T) {
	was := func(change watch.EventType, name string, uid types.UID, version string) simEvent {
		return simEvent{StreamEvent: StreamEvent[cm]{change, configMap(name, uid, version)}}
	}
	var seen log
	transformed := counter{}
	simulate(t, Config{}, func(s *simulator) {
		s.watchList = true
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} { // uid1@11 to uid6@16
			s.put("ns", name)
		}
		s.put("ns", "a")    // @17
		s.remove("ns", "b") // @18
		s.remove("ns", "c") // @19
		s.put("ns", "c")    // uid7@20
		s.put("ns", "d")    // @21
		s.change(func() { s.broken[nsKey("e")], s.broken[nsKey("f")] = true, true })
		s.remove("ns", "e") // @22
		s.put("ns", "f")    // @23
		s.initial = func(events []simEvent) []simEvent {
			return []simEvent{
				was(watch.Added, "a", "uid1", "11"), was(watch.Modified, "a", "uid1", "17"),
				was(watch.Deleted, "b", "uid2", "18"), was(watch.Added, "b", "uid2", "12"),
				was(watch.Added, "c", "uid3", "13"), was(watch.Deleted, "c", "uid3", "19"), was(watch.Added, "c", "uid7", "20"),
				was(watch.Modified, "d", "uid4", "21"), was(watch.Added, "d", "uid4", "14"),
				was(watch.Added, "e", "uid5", "15"), was(watch.Deleted, "e", "uid5", "22"),
				was(watch.Added, "f", "uid6", "16"), was(watch.Modified, "f", "uid6", "23"),
				was("Unheard", "g", "uid8", "23"), was(watch.Added, "", "uid9", "23"),
				events[len(events)-1],
			}
		}
	}, func(t trial, s *simulator, i *Informer[cm]) {
		i.Subscribe("s", seen.handle)
		s.change(func() { delete(s.objects, nsKey("f")) })
		s.follows(t.T, i, "ns")
		transformed.want(t.T, "a@11", "a@17", "c@13", "c@20", "d@21") // as they come, also what is changed later
		if got := fmt.Sprint(i.Indexer().Quarantined()); !strings.Contains(got, "f") || !strings.Contains(got, "23") || i.Status().Quarantined != 1 {
			t.Errorf("quarantined is %s, want f@23 alone", got)
		}
		if got := i.Status(); got.Skipped != 2 || got.Refused != 0 || got.Listed != 3 {
			t.Errorf("the status is %+v, want 2 skipped and 3 listed", got)
		}
	}, transformed.count)
}

func TestAnUndecodableInitialObjectHarmsNothingElse(t *testing.T) {
	simulate(t, Config{}, func(s *simulator) {
		ab(s)
		s.change(func() { s.broken[nsKey("a")] = true })
	}, func(t trial, s *simulator, i *Informer[cm]) {
		if got := i.Status(); !i.HasSynced() || i.Indexer().Len() != 1 || got.Quarantined != 1 || got.Failures != 1 {
			t.Errorf("the status is %+v, want b alone and one in quarantine", got)
		}
		s.change(func() { s.broken[nsKey("a")] = false })
		s.put("ns", "a")
		s.follows(t.T, i, "ns")
		if got := i.Status(); got.Quarantined != 0 {
			t.Errorf("%d are in quarantine after the object healed", got.Quarantined)
		}
		wantRequests(t.T, s, "watch-list @")
	})
}

// withoutEnd drops the bookmark that ends the initial events.
func withoutEnd(events []simEvent) []simEvent { return events[:len(events)-1] }

// withBookmark makes it an ordinary one.
func withBookmark(events []simEvent) []simEvent {
	return append(withoutEnd(events), simEvent{StreamEvent: bookmarkAt("12")})
}

func noWatchList(request, _ string) error {
	if request == "watch-list" {
		return apierrors.NewInvalid(schema.GroupKind{Kind: "ListOptions"}, "", nil)
	}
	return nil
}

func TestAServerWithoutWatchListIsListed(t *testing.T) {
	tests := map[string]struct {
		initial func([]simEvent) []simEvent
		deny    func(string, string) error
		after   time.Duration
	}{
		"the initial events do not end":     {withoutEnd, nil, 15 * time.Second},
		"an ordinary bookmark comes before": {withBookmark, nil, 0},
		"422":                               {nil, noWatchList, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			shared := &Server{}
			simulate(t, Config{Server: shared}, func(s *simulator) {
				ab(s)
				s.initial, s.deny = test.initial, test.deny
			}, func(t trial, s *simulator, i *Informer[cm]) {
				time.Sleep(max(0, test.after-1))
				if i.HasSynced() && test.after > 0 {
					t.Error("it gave up too early")
				}
				time.Sleep(min(1, test.after))
				s.follows(t.T, i, "ns")
				wantRequests(t.T, s, "watch-list @", "list @", "watch @12")
				if got := i.Status().Relists; got["start"] != 1 || got["no WatchList"] != 1 || len(got) != 2 {
					t.Errorf("the causes are %v", got)
				}
				if test.after > 0 { // once it may just have been slow
					s.cut("", apierrors.NewResourceExpired("too old"))
					time.Sleep(2 * test.after)
					s.follows(t.T, i, "ns")
					wantRequests(t.T, s, "watch-list @12", "list @12", "watch @12")
				}
				anotherLists(t.T, s, shared)
				time.Sleep(time.Hour)
				s.asked()
				s.cut("", apierrors.NewResourceExpired("too old")) // after an hour it is tried again
				synctest.Wait()
				if got := s.asked(); len(got) == 0 || got[0] != "watch-list @12" {
					t.Errorf("the requests are %q, want watch-list first", got)
				}
			})
		})
	}
}

// anotherLists checks what another informer of the server has learned.
func anotherLists(t *testing.T, s *simulator, shared *Server) {
	t.Helper()
	another := NewInformer(s.in(""), Config{Server: shared})
	stop := start(t, another)
	wantRequests(t, s, "list @", "watch @12")
	stop()
}

// A request that is wrong in any form says nothing of the server: others of its informers stream as before.
func TestARefusedListIsNoSignOfAServerWithoutWatchList(t *testing.T) {
	shared := &Server{}
	simulate(t, Config{Server: shared}, func(s *simulator) {
		ab(s)
		s.deny = func(string, string) error { return apierrors.NewBadRequest("field label not supported") }
	}, func(t trial, s *simulator, i *Informer[cm]) {
		time.Sleep(time.Minute)
		if got := i.Status().Endings; got["watch-list unsupported"] != 1 || got["list refused"] == 0 {
			t.Errorf("requests ended by %v", got)
		}
		s.change(func() { s.deny = nil })
		s.asked()
		another := NewInformer(s.in(""), Config{Server: shared})
		stop := start(t.T, another)
		wantRequests(t.T, s, "watch-list @")
		stop()
	})
}

func TestInitialEventsThatBreakOff(t *testing.T) {
	breaks := 3
	simulate(t, Config{}, func(s *simulator) {
		ab(s)
		s.initial = func(events []simEvent) []simEvent {
			breaks--
			if breaks < 0 {
				return events
			}
			return []simEvent{events[0], {err: errCut}}
		}
	}, func(t trial, s *simulator, i *Informer[cm]) {
		wantRequests(t.T, s, "watch-list @")
		if got := i.Status(); i.Indexer().Len() != 0 || !got.Fresh.IsZero() || got.LastError == nil {
			t.Errorf("part of the initial events counts for all: %+v", got)
		}
		time.Sleep(time.Minute)
		s.follows(t.T, i, "ns")
		wantRequests(t.T, s, "watch-list @", "watch-list @", "list @", "watch @12")
		if got := i.Status().Relists; got["start"] != 1 || got["WatchList keeps failing"] != 1 {
			t.Errorf("the causes are %v", got)
		}
		s.cut("", apierrors.NewResourceExpired("too old")) // which is no reason to give it up for good
		time.Sleep(time.Minute)
		if got := s.asked(); len(got) == 0 || got[0] != "watch-list @12" {
			t.Errorf("the requests are %q, want watch-list first", got)
		}
	})
}

// A relist that an audit asks for while the initial events come begins at the most recent version.
func TestRelistDuringInitialEvents(t *testing.T) {
	simulate(t, Config{}, func(s *simulator) {
		ab(s)
		s.hold = func(ctx context.Context, request string) {
			if request == "watch-list" {
				time.Sleep(time.Second)
			}
		}
	}, func(t trial, s *simulator, i *Informer[cm]) {
		i.scopes[0].reflector.Relist()
		time.Sleep(10 * time.Second)
		s.follows(t.T, i, "ns")
		wantRequests(t.T, s, "watch-list @", "watch-list @")
		if got := i.Status().Relists; got["start"] != 1 || got["audit found a divergence"] != 1 {
			t.Errorf("the causes are %v", got)
		}
	})
}
