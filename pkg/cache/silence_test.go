package cache

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// abListed fills a server that does not know WatchList with two objects.
func abListed(s *simulator) {
	ab(s)
	s.watchList = false
}

// hangs lets no request of a kind come to an end, the first n times.
func hangs(request string, n int) func(context.Context, string) {
	return func(ctx context.Context, asked string) {
		if asked != request {
			return
		}
		if n--; n >= 0 {
			<-ctx.Done()
		}
	}
}

func TestSilence(t *testing.T) {
	const silence = 90 * time.Second
	mute := func(s *simulator) { s.bookmarks = 0 }
	tests := map[string]struct {
		prepare func(*simulator)
		until   time.Duration
		want    []string // requests by then
	}{
		"a watch, until the limit": {mute, silence - 1, []string{"list @", "watch @12"}},
		"a watch, from then on":    {mute, silence, []string{"list @", "watch @12", "probe @", "watch @12"}},
		"bookmarks keep it alive":  {func(*simulator) {}, 5 * time.Hour, []string{"list @", "watch @12"}},
		"a watch without headers": {
			func(s *simulator) { s.hold = hangs("watch", 1) }, silence, []string{"list @", "watch @12", "probe @", "watch @12"},
		},
		"a list without headers": {
			func(s *simulator) { s.hold = hangs("list", 1) }, silence + 2*time.Second, []string{"list @", "list @", "watch @12"},
		},
		"a list that stops halfway": {
			func(s *simulator) { s.hold = hangs("item", 1) }, silence + 2*time.Second, []string{"list @", "list @", "watch @12"},
		},
		"a list that is slow": {
			func(s *simulator) {
				s.hold = func(_ context.Context, request string) {
					if request == "item" {
						time.Sleep(silence - time.Second)
					}
				}
			}, 3 * silence, []string{"list @", "watch @12"},
		},
		"a probe without an answer": {
			func(s *simulator) { s.bookmarks, s.hold = 0, hangs("probe", 1) }, 2*silence + 2*time.Second,
			[]string{"list @", "watch @12", "probe @", "watch @12"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			simulate(t, Config{}, func(s *simulator) {
				abListed(s)
				test.prepare(s)
			}, func(t *testing.T, s *simulator, i *Informer[cm]) {
				time.Sleep(test.until)
				wantRequests(t, s, test.want...)
				s.put("ns", "a")
				time.Sleep(2 * time.Second)
				s.follows(t, i, "ns")
			})
		})
	}
}

// Events that were lost while the server was mute come with the watch that follows.
func TestSilenceLosesNothing(t *testing.T) {
	simulate(t, Config{Silence: time.Minute}, abListed, func(t *testing.T, s *simulator, i *Informer[cm]) {
		s.change(func() { s.bookmarks = 0 })
		s.cut("", errCut)
		synctest.Wait()
		s.change(func() { s.drops = func(StreamEvent[cm]) bool { return true } })
		s.put("ns", "c")
		s.change(func() { s.drops = nil })
		if i.Indexer().Len() != 2 {
			t.Error("the test lets the event through")
		}
		time.Sleep(time.Minute)
		s.follows(t, i, "ns")
		if got := i.Status(); got.Lists != 1 || got.Endings["watch silent"] != 1 || got.Endings["probe complete"] != 1 {
			t.Errorf("the status is %+v", got)
		}
	})
}

// After a restore the server gives out versions again that were given to other states. None of those may stay.
func TestANewEpoch(t *testing.T) {
	expire := func(s *simulator) { s.cut("", apierrors.NewResourceExpired("too old")) }
	tests := map[string]struct {
		watchList bool
		notice    func(*simulator) // makes the informer notice
		after     time.Duration
	}{
		"found by a probe, listed":            {false, func(*simulator) {}, 90 * time.Second},
		"found by a probe, by initial events": {true, func(*simulator) {}, 90 * time.Second},
		"found by a list":                     {false, expire, 2 * time.Second},
		"found by initial events":             {true, expire, 2 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			simulate(t, Config{}, func(s *simulator) {
				s.watchList = test.watchList
				s.put("ns", "a") // @11
				s.put("ns", "b") // @12
				s.put("ns", "a") // @13
				s.put("ns", "c") // @14
				s.put("ns", "c") // @15
			}, func(t *testing.T, s *simulator, i *Informer[cm]) {
				kept, _ := i.Indexer().Get(nsKey("b"))
				waiting := waitFor(t.Context(), i.Indexer(), "100")
				synctest.Wait()
				s.restore(12)
				s.put("ns", "a") // @13 again, and another
				test.notice(s)
				time.Sleep(test.after)
				s.follows(t, i, "ns")
				if got, _ := i.Indexer().Get(nsKey("a")); got.Data["epoch"] != "1" {
					t.Error("the cache has the state of before, which has the same UID and version")
				}
				if got, _ := i.Indexer().Get(nsKey("b")); got == kept {
					t.Error("an object of before was used again")
				}
				if err := <-waiting; !errors.Is(err, ErrNewEpoch) {
					t.Errorf("who waited for a version got %v", err)
				}
				if got := i.Status(); got.Epochs != 1 || got.Relists["versions went back"] != 1 {
					t.Errorf("%d epochs, relists %v, want one of each", got.Epochs, got.Relists)
				}
				if got := i.Indexer().ResourceVersion(); got != "13" {
					t.Errorf("the cache is at %s, want 13", got)
				}
				s.put("ns", "d")
				s.follows(t, i, "ns")
			})
		})
	}
}

// A bookmark that goes back is of a server that is behind, or of one that was restored.
func TestABookmarkThatGoesBack(t *testing.T) {
	simulate(t, Config{}, abListed, func(t *testing.T, s *simulator, i *Informer[cm]) {
		back := func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			for stream := range s.streams {
				stream.push(simEvent{StreamEvent: bookmarkAt("3")})
			}
		}
		wantRequests(t, s, "list @", "watch @12")
		back()
		wantRequests(t, s)
		time.Sleep(2 * time.Second) // the wait is at least 0.8 s and less than 1.6 s
		wantRequests(t, s, "probe @", "watch @12")
		back()
		time.Sleep(1599 * time.Millisecond) // it has brought nothing, so the next wait is longer
		wantRequests(t, s)
		time.Sleep(2 * time.Second)
		wantRequests(t, s, "probe @", "watch @12")
		if got := i.Status(); got.Epochs != 0 || got.Lists != 1 || got.Bookmarks != 0 || i.Indexer().ResourceVersion() != "12" {
			t.Errorf("the status is %+v", got)
		}
	})
}

// A source that hands out what is cached by itself is not listed again and again.
func TestASourceThatHandsOutTheCachedObjects(t *testing.T) {
	play(t, Config{}, nil, func(s scene) {
		a, _ := s.informer.Indexer().Get(nsKey("a"))
		s.server.replies = []reply{
			{page: Page[cm]{Items: []cm{a}, ResourceVersion: "2"}}, {page: Page[cm]{Items: []cm{a}, ResourceVersion: "2"}},
		}
		s.server.stream.Error(&apierrors.NewResourceExpired("too old").ErrStatus)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := s.informer.Status(); got.Epochs != 1 || got.Lists != 3 {
			s.Errorf("%d epochs, %d lists, want 1 and 3", got.Epochs, got.Lists)
		}
	})
}
