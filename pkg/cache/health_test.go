package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

func TestReadyOfAnInformerThatNobodyRuns(t *testing.T) {
	wantError(t, newTestInformer(&scriptedServer{}).Ready(), "*v1.ConfigMap", "not ready", "Run was not called")
}

func TestReadyOfAStoppedInformer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newTestInformer(newLiveServer())
		stop := start(t, i)
		synctest.Wait()
		if err := i.Ready(); err != nil {
			t.Error(err)
		}
		stop()
		if err := i.Ready(); !errors.Is(err, ErrStopped) {
			t.Errorf("it is %v, want ErrStopped", err)
		}
	})
}

func TestReadyBeforeTheFirstList(t *testing.T) {
	refuses := true
	simulate(t, Config{Silence: longest}, func(s *simulator) {
		ab(s)
		s.hold = func(context.Context, string) { time.Sleep(time.Second) }
		s.deny = func(string, string) error {
			if refuses {
				return errors.New("connection refused")
			}
			return nil
		}
	}, func(t trial, s *simulator, i *Informer[cm]) {
		if err := i.Ready(); !errors.Is(err, errNotListed) || strings.Contains(err.Error(), "failing") {
			t.Errorf("before the first answer it is %v", err)
		}
		time.Sleep(31 * time.Second)
		wantError(t.T, i.Ready(), "first list", "for 30s", "connection refused")
		s.change(func() { refuses = false })
		time.Sleep(time.Minute)
		if err := i.Ready(); err != nil {
			t.Error(err)
		}
	})
}

// What the server refuses makes the informer unready at once, and what it permits again ready at once.
func TestReadyWhileTheServerRefuses(t *testing.T) {
	for name, refusal := range map[string]error{
		"401": apierrors.NewUnauthorized("x"), "403": apierrors.NewForbidden(pods, "", errors.New("x")), "404": apierrors.NewNotFound(pods, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			var refused error
			simulate(t, Config{}, func(s *simulator) {
				abListed(s)
				s.bookmarks = 0
				s.deny = func(string, string) error { return refused }
			}, func(t trial, s *simulator, i *Informer[cm]) {
				s.change(func() { refused = refusal })
				s.cut("", errCut)
				synctest.Wait()
				wantError(t.T, i.Ready(), "for 0s", refusal.Error())
				if !i.HasSynced() || i.Indexer().Len() != 2 || i.Status().Connected {
					t.Error("what there is can't be read any more")
				}
				s.change(func() { refused = nil })
				time.Sleep(4 * time.Second) // the second wait is less than 3.2 s
				synctest.Wait()
				if err := i.Ready(); err != nil || !i.Status().Connected {
					t.Errorf("it may read again, but %v", err)
				}
			})
		})
	}
}

func TestReadyUntilStale(t *testing.T) {
	const most = 3 * time.Minute
	away := false
	simulate(t, Config{MaxStaleness: most}, func(s *simulator) {
		abListed(s)
		s.deny = func(string, string) error {
			if away {
				return errors.New("connection refused")
			}
			return nil
		}
	}, func(t trial, s *simulator, i *Informer[cm]) {
		time.Sleep(time.Hour + time.Second) // bookmarks keep it fresh; the last came a second ago
		if err := i.Ready(); err != nil {
			t.Error(err)
		}
		s.change(func() { away = true })
		s.cut("", errCut)
		time.Sleep(most - time.Second)
		if err := i.Ready(); err != nil {
			t.Errorf("at the limit it is %v", err)
		}
		time.Sleep(time.Nanosecond)
		wantError(t.T, i.Ready(), "not been heard of for 3m0s", "connection refused")
		s.change(func() { away = false })
		time.Sleep(2 * time.Minute)
		if err := i.Ready(); err != nil {
			t.Error(err)
		}
	})
}

// Initial events that never end are no sign of life.
func TestInitialEventsAreNoFreshness(t *testing.T) {
	simulate(t, Config{MaxStaleness: time.Minute}, ab, func(t trial, s *simulator, i *Informer[cm]) {
		listed := i.Status().Fresh
		s.change(func() {
			s.initial = func(events []simEvent) []simEvent { return append(events[:1:1], simEvent{err: errCut}) }
			s.deny = func(request, _ string) error {
				if request == "list" {
					return errCut
				}
				return nil
			}
		})
		s.cut("", apierrors.NewResourceExpired("x"))
		time.Sleep(time.Minute + time.Second)
		wantError(t.T, i.Ready(), "not been heard of")
		if got := i.Status(); !got.Fresh.Equal(listed) || got.FailingSince.IsZero() {
			t.Errorf("the status is %+v", got)
		}
	})
}

func TestStatusesAreMerged(t *testing.T) {
	at := func(minute int) time.Time { return someTime.Add(time.Duration(minute) * time.Minute) }
	first, second := errors.New("first"), errors.New("second")
	one := Status{
		Lists: 1, Watches: 2, Events: 3, Bookmarks: 4, Skipped: 5, Listed: 6, Audits: 7, AuditsGivenUp: 8, Divergent: 9, Connected: true,
		Relists: map[string]int{"start": 1}, Endings: map[string]int{"watch closed": 1},
		LastList: at(1), LastEvent: at(2), LastBookmark: at(3), Fresh: at(4),
	}
	two := Status{
		Lists: 10, Watches: 20, Events: 30, Bookmarks: 40, Skipped: 50, Listed: 60, Audits: 70, AuditsGivenUp: 80, Divergent: 90,
		Relists: map[string]int{"start": 10, "x": 1}, Endings: map[string]int{"watch closed": 10},
		LastList: at(2), LastEvent: at(1), LastBookmark: at(4), Fresh: at(3), FailingSince: at(3), LastError: first,
	}
	want := Status{
		Lists: 11, Watches: 22, Events: 33, Bookmarks: 44, Skipped: 55, Listed: 66, Audits: 77, AuditsGivenUp: 88, Divergent: 99,
		Relists: map[string]int{"start": 11, "x": 1}, Endings: map[string]int{"watch closed": 11},
		LastList: at(2), LastEvent: at(2), LastBookmark: at(4), Fresh: at(3), LastError: first, FailingSince: at(3),
	}
	one.merge(two)
	if fmt.Sprintf("%+v", one) != fmt.Sprintf("%+v", want) {
		t.Errorf("merged they are %+v, want %+v", one, want)
	}
	one.merge(Status{LastError: second, FailingSince: at(2), Fresh: at(5)})
	if !errors.Is(one.LastError, second) || !one.FailingSince.Equal(at(2)) || !one.Fresh.Equal(at(3)) {
		t.Errorf("the error is %v since %v, want the one that lasts longest", one.LastError, one.FailingSince)
	}
}

// A server that has nothing to say, not even bookmarks, is asked whether it is there.
func TestReadyOnASilentServer(t *testing.T) {
	simulate(t, Config{}, func(s *simulator) {
		ab(s)
		s.bookmarks = 0
	}, func(t trial, s *simulator, i *Informer[cm]) {
		time.Sleep(time.Hour)
		if err := i.Ready(); err != nil {
			t.Errorf("the server answers, but %v", err)
		}
		s.change(func() { s.deny = func(string, string) error { return errCut } })
		time.Sleep(10 * time.Minute)
		wantError(t.T, i.Ready(), "has not been heard of for")
	})
}
