package cache

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// A namespace of which less was seen than the server has got to since is of the new epoch, too: its own versions tell
// nothing.
func TestTheEpochOfANamespaceThatWasBehind(t *testing.T) {
	simulateIn(t, Config{}, []string{"a", "b"}, asIs, func(t trial, s *simulator, i *NamespacedInformer[cm]) {
		s.put("b", "x") // @14
		for range 6 {
			s.put("a", "x") // to @20
		}
		synctest.Wait()
		s.restore(13)
		for range 3 {
			s.put("c", "x") // to @16
		}
		s.cut("a", apierrors.NewResourceExpired("too old"))
		time.Sleep(10 * time.Second)
		s.follows(t.T, i.Informer, "a", "b")
		if got := i.Status(); got.Refused != 0 || got.Epochs != 1 || got.Lists != 4 || i.Indexer().ResourceVersion() != "16" {
			t.Errorf("the cache is at %q, the status is %+v", i.Indexer().ResourceVersion(), got)
		}
	})
}

// A list that is under way when a namespace is told of the new epoch is of the one before. It does not count.
func TestAListThatWasUnderWayIsOfNoNewEpoch(t *testing.T) {
	simulateIn(t, Config{}, []string{"a", "b"}, asIs, func(t trial, s *simulator, i *NamespacedInformer[cm]) {
		for range 6 {
			s.put("b", "x") // to @19
		}
		s.put("a", "x") // @20
		synctest.Wait()
		var items atomic.Int32
		s.change(func() {
			s.hold = func(_ context.Context, request string) {
				if request == "item" && items.Add(1) == 1 {
					time.Sleep(10 * time.Second)
				}
			}
		})
		s.cut("b", apierrors.NewResourceExpired("too old")) // it reads x@19
		synctest.Wait()
		s.restore(13)
		s.cut("a", apierrors.NewResourceExpired("too old"))
		time.Sleep(20 * time.Second)
		s.follows(t.T, i.Informer, "a", "b")
		if got := i.Status(); got.Epochs != 1 || i.Indexer().ResourceVersion() != "13" {
			t.Errorf("the cache is at %q, the status is %+v", i.Indexer().ResourceVersion(), got)
		}
	})
}

// What a probe has found is not forgotten when the server has got past the old version by the time that it lists.
func TestAnEpochIsKeptInMind(t *testing.T) {
	for name, watchList := range map[string]bool{"list": false, "initial events": true} {
		t.Run(name, func(t *testing.T) {
			denied := false
			simulate(t, Config{}, func(s *simulator) {
				ab(s)
				s.watchList = watchList
				s.deny = func(request, _ string) error {
					if denied && request != "probe" {
						return errors.New("connection refused")
					}
					return nil
				}
			}, func(t trial, s *simulator, i *Informer[cm]) {
				for range 6 {
					s.put("ns", "a") // to @18
				}
				synctest.Wait()
				s.restore(12)
				s.change(func() { denied = true })
				time.Sleep(100 * time.Second)
				for range 10 {
					s.put("ns", "c") // to @22
				}
				s.change(func() { denied = false })
				time.Sleep(time.Minute)
				s.follows(t.T, i, "ns")
				if got := i.Status(); got.Epochs != 1 || got.Refused != 0 {
					t.Errorf("the status is %+v", got)
				}
			})
		})
	}
}

// An epoch that nobody could see begin: the server was past the old version when the watch went on.
func TestAnAuditFindsAnEpoch(t *testing.T) {
	simulateAudits(t, Config{}, func(t trial, s *simulator, i *Informer[cm]) {
		for range 6 {
			s.put("ns", "a") // to @19
		}
		synctest.Wait()
		s.restore(13)
		for range 10 {
			s.put("ns", "b") // to @23
		}
		s.cut("", errCut)
		time.Sleep(10 * auditInterval)
		s.follows(t.T, i, "ns")
		if got := i.Status(); got.Epochs != 1 || got.Divergent != 1 || got.Lists != 2 || got.Relists["versions went back"] != 1 {
			t.Errorf("the status is %+v", got)
		}
	})
}

// So does a list, by an object that is older than the cached one.
func TestARelistFindsAnEpoch(t *testing.T) {
	for name, watchList := range map[string]bool{"list": false, "initial events": true} {
		t.Run(name, func(t *testing.T) {
			simulate(t, Config{}, func(s *simulator) {
				ab(s)
				s.watchList = watchList
			}, func(t trial, s *simulator, i *Informer[cm]) {
				for range 6 {
					s.put("ns", "a") // to @18
				}
				synctest.Wait()
				s.restore(12)
				for range 10 {
					s.put("ns", "b") // to @22
				}
				s.cut("", apierrors.NewResourceExpired("too old"))
				time.Sleep(time.Minute)
				s.follows(t.T, i, "ns")
				if got := i.Status(); got.Epochs != 1 || got.Refused != 0 || got.Lists != 3 {
					t.Errorf("the status is %+v", got)
				}
			})
		})
	}
}

// A server that brings nothing new and ends the stream is not asked in a loop.
func TestWhatWasSeenIsNoProgress(t *testing.T) {
	simulate(t, Config{}, abListed, func(t trial, s *simulator, _ *Informer[cm]) {
		requests := 0
		for range 200 {
			time.Sleep(time.Millisecond)
			s.bookmark()
			s.cut("", errCut)
			requests += len(s.asked())
		}
		if requests > 5 {
			t.Errorf("%d requests in 200 ms", requests)
		}
	})
}

// A watch may end by itself just when it is interrupted. Then the next one is.
func TestAnInterruptionIsNotLost(t *testing.T) {
	for range 2000 {
		simulate(t, Config{}, abListed, func(t trial, s *simulator, i *Informer[cm]) {
			go i.scopes[0].reflector.interrupt(ErrNewEpoch)
			s.cut("", errCut)
			time.Sleep(time.Minute)
			if got := i.Status(); got.Relists["versions went back"] != 1 {
				t.Fatalf("the relists are %v", got.Relists)
			}
		})
	}
}

func TestANewEpochIsTheBetterReason(t *testing.T) {
	r := NewReflector(newSimulator().in(""), &ingest[cm]{}, Config{})
	for _, why := range []error{errDiverged, errBehindElsewhere, errDiverged} {
		r.interrupt(why)
	}
	if got := <-r.interrupts; !errors.Is(got, errBehindElsewhere) {
		t.Errorf("the reason is %v", got)
	}
}
