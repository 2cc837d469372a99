package cache

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2/ktesting"
	"pgregory.net/rapid"
)

// An identitySource is the simulator as an IdentityLister, which lists in pages.
type identitySource struct {
	simSource

	pages map[string][]cm // by token
}

func (s identitySource) ListIdentities(ctx context.Context, opts metav1.ListOptions, each func(Identity)) (PageMeta, error) {
	if err := s.answer(ctx, "identities", opts); err != nil {
		return PageMeta{}, err
	}
	version, _, _ := strings.Cut(opts.Continue, " ")
	items := s.pages[opts.Continue]
	if opts.Continue == "" {
		s.mu.Lock()
		items, version = s.listLocked(0), strconv.Itoa(s.version)
		s.mu.Unlock()
	}
	page := PageMeta{ResourceVersion: version}
	if opts.Limit > 0 && len(items) > int(opts.Limit) {
		page.Continue = version + " " + strconv.Itoa(len(s.pages))
		s.pages[page.Continue], items = items[opts.Limit:], items[:opts.Limit]
	}
	for _, item := range items {
		each(IdentityOf(item))
	}
	return page, nil
}

const auditInterval = time.Hour

// simulateAudits runs an informer on a simulator with a, b and c, with and without an IdentityLister.
func simulateAudits(t *testing.T, config Config, act func(trial, *simulator, *Informer[cm])) {
	t.Helper()
	config.AuditInterval = auditInterval
	for name, source := range map[string]func(*simulator) ListerWatcher[cm]{
		"identities": func(s *simulator) ListerWatcher[cm] { return identitySource{simSource{s, ""}, map[string][]cm{}} },
		"objects":    func(s *simulator) ListerWatcher[cm] { return s.in("") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newSimulator()
				abListed(server)
				server.put("ns", "c")
				i := NewInformer(source(server), config)
				stop := start(t, i)
				synctest.Wait()
				act(trial{t}, server, i)
				stop()
			})
		})
	}
}

func losesAll(StreamEvent[cm]) bool { return true }

func TestAnAuditFindsWhatTheServerLost(t *testing.T) {
	tests := map[string]struct {
		lose func(*simulator)
		want string // told by the repair
	}{
		"an addition":     {func(s *simulator) { s.put("ns", "d") }, "Added d@14"},
		"an update":       {func(s *simulator) { s.put("ns", "a") }, "Updated a@14"},
		"a deletion":      {func(s *simulator) { s.remove("ns", "a") }, "Deleted a@11 unseen"},
		"a late deletion": {func(s *simulator) { s.put("ns", "d"); s.remove("ns", "a") }, "Deleted a@11 unseen"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true), ktesting.Verbosity(10)))
			simulateAudits(t, Config{PageSize: 2, Logger: logger}, func(t trial, s *simulator, i *Informer[cm]) {
				var seen log
				i.Subscribe("s", seen.handle)
				synctest.Wait()
				s.drops = losesAll
				test.lose(s)
				s.drops = nil
				time.Sleep(auditInterval * 9 / 10)
				if got := i.Status(); got.Audits != 0 || got.Divergent != 0 {
					t.Errorf("before its time an audit took place: %+v", got)
				}
				time.Sleep(auditInterval / 4)
				s.follows(t.T, i, "ns")
				if got := seen.read()[3:]; !slices.Contains(got, test.want) {
					t.Errorf("the handler saw %q, want %q among it", got, test.want)
				}
				got := i.Status()
				if got.Audits != 1 || got.Divergent == 0 || got.Relists["audit found a divergence"] != 1 || got.AuditsGivenUp != 0 {
					t.Errorf("the status is %+v", got)
				}
				time.Sleep(10 * auditInterval)
				if again := i.Status(); again.Divergent != got.Divergent || again.Lists != got.Lists || again.Audits < 9 || again.Audits > 13 {
					t.Errorf("after the repair the status is %+v", again)
				}
			})
			text := logger.GetSink().(ktesting.Underlier).GetBuffer().String() //nolint:forcetypeassert // it is one
			if !strings.Contains(text, "The cache differs from the server") || strings.Contains(text, `"epoch"`) {
				t.Errorf("the log is %s", text)
			}
		})
	}
}

// A server that was restored and has passed the version that was seen, before anybody looked, looks as ever.
func TestAnAuditFindsARestoreThatWasOvertaken(t *testing.T) {
	simulateAudits(t, Config{}, func(t trial, s *simulator, i *Informer[cm]) {
		s.put("ns", "a")
		synctest.Wait()
		s.restore(13)
		s.put("ns", "b")
		s.put("ns", "b")
		time.Sleep(auditInterval / 2)
		if got := i.Status(); got.Epochs != 0 || got.Lists != 1 {
			t.Errorf("the restore was noticed: %+v", got)
		}
		time.Sleep(auditInterval)
		s.follows(t.T, i, "ns")
	})
}

func TestAnAuditOfEachNamespace(t *testing.T) {
	simulateIn(t, Config{AuditInterval: auditInterval}, []string{"a", "b"}, asIs, func(t trial, s *simulator, i *NamespacedInformer[cm]) {
		s.drops = losesAll
		s.put("b", "x")
		s.drops = nil
		time.Sleep(2 * auditInterval)
		s.follows(t.T, i.Informer, "a", "b")
		a, _ := i.StatusOf("a")
		b, _ := i.StatusOf("b")
		if a.Lists != 1 || a.Divergent != 0 || a.Audits == 0 || b.Lists != 2 || b.Divergent != 1 {
			t.Errorf("the status of a is %+v, of b %+v", a, b)
		}
		if all := i.Status(); all.Audits != a.Audits+b.Audits || all.Divergent != 1 {
			t.Errorf("the status of both is %+v", all)
		}
	})
}

// Nobody learns of an audit that came to nothing, but for a count.
func TestAnAuditGivesUp(t *testing.T) {
	tests := map[string]func(*simulator){
		"a list is denied": func(s *simulator) {
			s.change(func() {
				s.deny = func(request, _ string) error {
					if request == "list" || request == "identities" {
						return apierrors.NewForbidden(pods, "", errors.New("x"))
					}
					return nil
				}
			})
		},
		"a list hangs": func(s *simulator) {
			s.change(func() {
				s.hold = func(ctx context.Context, request string) {
					if request == "list" || request == "identities" {
						<-ctx.Done()
					}
				}
			})
		},
		"the cache does not get that far": func(s *simulator) {
			s.change(func() {
				s.deny = func(request, _ string) error {
					if request == "watch" {
						return errCut
					}
					return nil
				}
			})
			s.cut("", errCut)
			synctest.Wait()
			s.put("ns", "d")
		},
		"the versions go back": func(s *simulator) {
			s.put("ns", "d")
			synctest.Wait()
			s.change(func() {
				s.bookmarks = 0
				s.drops = losesAll // so that R1 is not reached before the restore
				once := sync.OnceFunc(func() {
					s.put("ns", "e")
					go func() {
						time.Sleep(time.Microsecond) // when the list has been answered
						s.restore(12)
					}()
				})
				s.hold = func(_ context.Context, request string) {
					if request == "list" || request == "identities" {
						once()
					}
				}
			})
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			simulateAudits(t, Config{}, func(t trial, s *simulator, i *Informer[cm]) {
				prepare(s)
				time.Sleep(auditInterval * 5 / 4)
				if got := i.Status(); got.Audits != 0 || got.AuditsGivenUp != 1 || got.Divergent != 0 || got.Relists["audit found a divergence"] != 0 {
					t.Errorf("the status is %+v, want one that was given up", got)
				}
			})
		})
	}
}

func TestAnAuditExcusesWhatIsInQuarantine(t *testing.T) {
	simulateAudits(t, Config{}, func(t trial, s *simulator, i *Informer[cm]) {
		s.change(func() { s.broken[nsKey("a")], s.broken[nsKey("d")] = true, true })
		s.put("ns", "a")
		s.put("ns", "d")
		wantQuarantine(t.T, i, "a@14", "d@15")
		time.Sleep(2 * auditInterval)
		if got := i.Status(); got.Audits == 0 || got.Divergent != 0 || got.Lists != 1 {
			t.Errorf("the status is %+v", got)
		}
	})
}

// What has changed since the list is no reason to list once more.
func TestAnAuditListsOnceWhereThatIsEnough(t *testing.T) {
	simulateAudits(t, Config{}, func(t trial, s *simulator, i *Informer[cm]) {
		s.asked()
		time.Sleep(auditInterval * 8 / 10)
		s.change(func() {
			s.bookmarks = 0
			s.hold = func(_ context.Context, request string) {
				if request != "list" && request != "identities" {
					return
				}
				s.change(func() { s.version++ }) // an object of another kind
				go func() {
					time.Sleep(time.Microsecond) // when the list has been answered
					s.put("ns", "a")
				}()
			}
		})
		time.Sleep(auditInterval * 4 / 10)
		lists := slices.DeleteFunc(s.asked(), func(request string) bool {
			return !strings.HasPrefix(request, "list") && !strings.HasPrefix(request, "identities")
		})
		if got := i.Status(); got.Audits != 1 || len(lists) != 1 {
			t.Errorf("the requests are %q, %d audits came to an end", lists, got.Audits)
		}
	})
}

// The watch goes on beside an audit that takes long.
func TestAnAuditHoldsNothingUp(t *testing.T) {
	simulateAudits(t, Config{}, func(t trial, s *simulator, i *Informer[cm]) {
		s.change(func() {
			s.hold = func(ctx context.Context, request string) {
				if request == "list" || request == "identities" {
					<-ctx.Done() // until the test ends
				}
			}
		})
		time.Sleep(auditInterval*9/10 - time.Second)
		s.asked()
		for range auditInterval/5/time.Second + 2 { // until after the latest moment at which it may begin
			time.Sleep(time.Second)
			s.put("ns", "d")
			s.follows(t.T, i, "ns")
			if got := s.asked(); len(got) > 0 {
				return // while it hangs
			}
		}
		t.Error("no audit began")
	})
}

func TestAuditsDriftApart(t *testing.T) {
	simulateAudits(t, Config{}, func(t trial, _ *simulator, i *Informer[cm]) {
		var waits []time.Duration
		for last := time.Now(); len(waits) < 5; {
			for audits := i.Status().Audits; i.Status().Audits == audits; {
				time.Sleep(time.Second)
			}
			waits, last = append(waits, time.Since(last)), time.Now()
		}
		slices.Sort(waits)
		if least, most := waits[0], waits[4]; least < auditInterval*9/10 || most > auditInterval*11/10+2*time.Minute || most-least < 5*time.Second {
			t.Errorf("the audits came after %v, want an hour, give or take six minutes", waits)
		}
	})
}

// However much changes at whatever moment of an audit, it finds nothing that is not there, and what the server lost it
// finds as soon as that is at rest.
func TestAuditsAgainstModel(t *testing.T) {
	rapid.Check(t, inBubble(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		lossy := rapid.Bool().Draw(t, "lossy")
		server, busy, lost := newSimulator(), true, false
		var changing sync.Mutex
		change := func() {
			changing.Lock()
			defer changing.Unlock()
			for busy && random.IntN(3) > 0 {
				name := string(rune('a' + random.IntN(8)))
				if random.IntN(3) == 0 {
					server.remove("ns", name)
				} else {
					server.put("ns", name)
				}
			}
		}
		server.hold = func(context.Context, string) { change() }
		server.drops = func(StreamEvent[cm]) bool {
			drop := lossy && busy && random.IntN(5) == 0
			lost = lost || drop
			return drop
		}
		source := server.in("")
		if rapid.Bool().Draw(t, "identities") {
			source = identitySource{simSource{server, ""}, map[string][]cm{}}
		}
		i := NewInformer(source, Config{AuditInterval: time.Minute, PageSize: int64(rapid.IntRange(2, 4).Draw(t, "page size"))})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() { _ = i.Run(ctx) }()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			time.Sleep(time.Duration(rapid.IntRange(0, 20000).Draw(t, "ms")) * time.Millisecond)
			synctest.Wait()
			change()
		}
		synctest.Wait()
		if got := i.Status().Divergent; got > 0 && !lost {
			t.Fatalf("%d objects diverge, but the server lost nothing", got)
		}
		changing.Lock()
		busy = false
		changing.Unlock()
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if got, want := cachedState(i), server.state("ns"); !slices.Equal(got, want) {
			t.Fatalf("the cache has %q, the server %q", got, want)
		}
		if got := i.Status(); got.Audits == 0 {
			t.Fatalf("no audit came to an end: %+v", got)
		}
	}))
}
