package events

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2/textlogger"
)

// A play is a recorder with a server, in virtual time.
type play struct {
	*Recorder
	*server

	stop func() // waits until Run has returned
}

// open runs a recorder until the test ends.
func open(t *testing.T, config Config) *play {
	t.Helper()
	s := newServer()
	config.Client, config.Controller, config.Instance = s, "example.com/tester", "tester-0"
	recorder, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := recorder.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	p := &play{recorder, s, func() { cancel(); running.Wait() }}
	t.Cleanup(p.stop)
	return p
}

// failing makes the server fail from now on, nil for not.
func (p *play) failing(fail func(verb string, n int) failure) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.fail = fail
}

func down(string, int) failure { return failure{err: errors.New("connection refused")} }

func pod(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "1", ResourceVersion: "7"}}
}

// pass lets virtual time go by, and then everything be done that is due.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// status compares what must be dropped, and that nothing is unaccounted for.
func (p *play) status(t *testing.T, dropped map[Cause]int64) Status {
	t.Helper()
	s := p.Status()
	var sum int64
	for _, n := range s.Dropped {
		sum += n
	}
	if !maps.Equal(s.Dropped, dropped) || s.Recorded != s.Sent+s.Buffered+sum {
		t.Errorf("status %+v, want %v to be dropped", s, dropped)
	}
	return s
}

func TestEqualEventsAreOneEventWithACount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		pass(1234 * time.Nanosecond) // the API has microseconds
		began := time.Now()
		for range 100 {
			p.Normal(pod("web"), "Restarted", "Restart", "the configuration has changed")
			time.Sleep(100 * time.Millisecond)
		}
		pass(time.Minute)
		event := p.one()
		want(t, "requests", fmt.Sprint(p.requests()), "[create web patch web]")
		want(t, "count", event.Series.Count, 100)
		want(t, "first", event.EventTime.Time, began.Truncate(time.Microsecond))
		want(t, "last", event.Series.LastObservedTime.UTC(), began.Add(9900*time.Millisecond).Truncate(time.Microsecond).UTC())
		s := p.status(t, nil)
		want(t, "merged", s.Merged, 99)
		want(t, "sent", s.Sent, 100)
		want(t, "writes", s.Created+s.Updated, 2)
	})
}

func TestEventSaysAllThatTheAPIKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		p.Record(Event{
			Regarding: pod("web"), Related: &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}},
			Type: corev1.EventTypeWarning, Reason: "Evicted", Action: "Evict", Note: "no memory",
		})
		synctest.Wait()
		event := p.one()
		want(t, "regarding", event.Regarding, corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: "shop", Name: "web", UID: "1", ResourceVersion: "7"})
		want(t, "related", *event.Related, corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: "n1"})
		want(t, "the rest", strings.Join([]string{
			event.Namespace, event.Type, event.Reason, event.Action, event.Note, event.ReportingController, event.ReportingInstance,
		}, " "), "shop Warning Evicted Evict no memory example.com/tester tester-0")
		want(t, "no series", event.Series, nil)
	})
}

func TestWhatMakesEventsDifferent(t *testing.T) {
	base := Event{Regarding: pod("web"), Reason: "R", Action: "A", Note: "n"}
	other := pod("web")
	other.UID = "2"
	newer := pod("web")
	newer.ResourceVersion = "8"
	tests := map[string]struct {
		event  Event
		events int
	}{
		"nothing":              {base, 1},
		"the resource version": {Event{Regarding: newer, Reason: "R", Action: "A", Note: "n"}, 1},
		"the UID":              {Event{Regarding: other, Reason: "R", Action: "A", Note: "n"}, 2},
		"the name":             {Event{Regarding: pod("db"), Reason: "R", Action: "A", Note: "n"}, 2},
		"the type":             {Event{Regarding: pod("web"), Type: "Warning", Reason: "R", Action: "A", Note: "n"}, 2},
		"the reason":           {Event{Regarding: pod("web"), Reason: "S", Action: "A", Note: "n"}, 2},
		"the action":           {Event{Regarding: pod("web"), Reason: "R", Action: "B", Note: "n"}, 2},
		"the note":             {Event{Regarding: pod("web"), Reason: "R", Action: "A", Note: "o"}, 2},
		"the related object":   {Event{Regarding: pod("web"), Related: pod("db"), Reason: "R", Action: "A", Note: "n"}, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := open(t, Config{})
				p.Record(base)
				p.Record(test.event)
				synctest.Wait()
				want(t, "Events", len(p.events), test.events)
			})
		})
	}
}

func TestSeriesGoesOnWithinTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{Window: 10 * time.Minute})
		for range 5 {
			p.Normal(pod("web"), "R", "A", "n")
			pass(9 * time.Minute)
		}
		want(t, "one Event", p.one().Series.Count, 5)
		pass(2 * time.Minute)
		p.Normal(pod("web"), "R", "A", "n")
		synctest.Wait()
		want(t, "Events after a longer pause", len(p.events), 2)
	})
}

func TestUpdatesKeepTheirInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{UpdateInterval: 30 * time.Second})
		for range 300 { // one each second
			p.Normal(pod("web"), "R", "A", "n")
			pass(time.Second)
		}
		want(t, "requests in 5 min", len(p.requests()), 11)
		pass(time.Minute)
		want(t, "count at last", p.one().Series.Count, 300)
		p.Normal(pod("web"), "R", "A", "n")
		synctest.Wait()
		want(t, "count at once, after a pause", p.one().Series.Count, 301)
	})
}

func TestSimilarEventsAreCombined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		for n := range 30 {
			p.Warning(pod("web"), "Failed", "Start", fmt.Sprintf("attempt %02d", n))
		}
		p.Warning(pod("web"), "Failed", "Start", "attempt 03") // has an Event of its own
		pass(2 * time.Minute)
		got := p.counts()
		want(t, "Events", len(got), 11)
		want(t, "combined", got["(combined from similar events): attempt 10"], 20)
		want(t, "one of the first", got["attempt 03"], 2)
		want(t, "counted as combined", p.status(t, nil).Combined, 20)

		pass(20 * time.Minute)
		p.Warning(pod("web"), "Failed", "Start", "attempt 99")
		synctest.Wait()
		want(t, "on its own after a pause", p.counts()["attempt 99"], 1)
	})
}

func TestObjectHasABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{Burst: 3, Refill: time.Minute})
		for n := range 5 {
			p.Normal(pod("web"), fmt.Sprint("Reason", n), "A", "n")
			p.Normal(pod("web"), "Reason0", "A", "n") // costs nothing
		}
		p.Normal(pod("db"), "Reason", "A", "n") // has a budget of its own
		synctest.Wait()
		p.status(t, map[Cause]int64{Limited: 2})
		want(t, "Events", len(p.events), 4)
		pass(time.Minute)
		p.Normal(pod("web"), "Reason5", "A", "n")
		p.Normal(pod("web"), "Reason6", "A", "n")
		p.status(t, map[Cause]int64{Limited: 3})
	})
}

func TestNegativeMeansNoBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{Burst: -1, Similar: -1})
		for n := range 500 {
			p.Normal(pod("web"), "R", "A", fmt.Sprint(n))
		}
		synctest.Wait()
		want(t, "Events", len(p.events), 500)
		p.status(t, nil)
	})
}

func TestBufferIsBoundedAndKeepsTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{Buffer: 3})
		p.failing(down)
		for n := range 5 {
			p.Normal(pod(fmt.Sprint("p", n)), "R", "A", fmt.Sprint(n))
			synctest.Wait() // the first has failed and waits as well: what is being written is in no buffer
		}
		for range 10 {
			p.Normal(pod("p0"), "R", "A", "0")
		}
		p.status(t, map[Cause]int64{Full: 2})
		pass(time.Minute)
		p.failing(nil)
		pass(2 * time.Minute)
		want(t, "on the server", fmt.Sprint(p.counts()), "map[0:11 1:1 2:1]")
		p.status(t, map[Cause]int64{Full: 2})
	})
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{Memory: 4})
		for n := range 100 {
			for range 2 {
				p.Normal(pod(fmt.Sprint("p", n)), "R", "A", "n")
				synctest.Wait()
			}
		}
		c := p.correlator
		want(t, "remembered", max(c.open.len(), c.similar.len(), c.budgets.len()), 4)
		want(t, "known to the server", p.counts()["n"], 196) // a count is written when its Event is forgotten
		pass(time.Hour)
		p.Normal(pod("last"), "R", "A", "n")
		synctest.Wait()
		want(t, "remembered after the window", c.open.len()+c.similar.len(), 2)
	})
}

func TestRefusedEventIsDropped(t *testing.T) {
	tests := map[string]error{
		"a namespace that terminates": apierrors.NewForbidden(resource, "x", errors.New("namespace is being terminated")),
		"a namespace that is gone":    apierrors.NewNotFound(resource, "x"),
		"invalid":                     apierrors.NewBadRequest("no"),
		"too large":                   apierrors.NewRequestEntityTooLargeError("no"),
	}
	for name, err := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := open(t, Config{})
				p.failing(func(_ string, n int) failure {
					if n == 0 {
						return failure{err: err}
					}
					return failure{}
				})
				p.Normal(pod("web"), "R", "A", "n")
				p.Normal(pod("db"), "R", "A", "n")
				synctest.Wait() // no time passes
				want(t, "requests", fmt.Sprint(p.requests()), "[create web create db]")
				p.status(t, map[Cause]int64{Rejected: 1})
				p.Normal(pod("web"), "R", "A", "n") // is tried again
				synctest.Wait()
				want(t, "Events", len(p.events), 2)
			})
		})
	}
}

func TestLostEventIsCreatedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		p.Normal(pod("web"), "R", "A", "n")
		synctest.Wait()
		began := p.one().EventTime
		clear(p.events) // its time to live is over
		p.Normal(pod("web"), "R", "A", "n")
		pass(time.Minute)
		want(t, "requests", fmt.Sprint(p.requests()), "[create web patch web create web]")
		want(t, "count", p.one().Series.Count, 2)
		want(t, "first", p.one().EventTime, began)
	})
}

func TestLostAnswerMakesNoSecondEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		p.failing(func(_ string, n int) failure {
			if n == 0 {
				return failure{err: errors.New("connection reset by peer"), did: true}
			}
			return failure{}
		})
		p.Normal(pod("web"), "R", "A", "n")
		synctest.Wait()
		p.Normal(pod("web"), "R", "A", "n")
		pass(time.Minute)
		want(t, "requests", fmt.Sprint(p.requests()), "[create web create web patch web]")
		want(t, "count", p.one().Series.Count, 2)
		p.status(t, nil)
	})
}

func TestNameOfAnotherIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		p.failing(func(_ string, n int) failure {
			if n == 0 {
				return failure{err: apierrors.NewAlreadyExists(resource, "x")}
			}
			return failure{}
		})
		p.Normal(pod("web"), "R", "A", "n")
		pass(2 * time.Second)
		want(t, "Events", len(p.events), 1)
		p.status(t, nil)
	})
}

// pauses returns how long a recorder waited between requests that all failed.
func pauses(t *testing.T, config Config, err error, d time.Duration) (pauses []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := open(t, config)
		at := time.Now()
		p.failing(func(string, int) failure {
			pauses = append(pauses, time.Since(at))
			at = time.Now()
			return failure{err: err}
		})
		p.Normal(pod("web"), "R", "A", "n")
		pass(d)
	})
	return pauses[1:]
}

func TestPausesGrow(t *testing.T) {
	got := pauses(t, Config{MinBackoff: 2 * time.Second, MaxBackoff: 10 * time.Second}, errors.New("refused"), time.Minute)
	for n, seconds := range []int{2, 4, 8, 10, 10} {
		between(t, got[n:n+1], time.Duration(seconds)*time.Second)
	}
}

func TestPausesAreShortAgainAfterASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		p.failing(down)
		p.Normal(pod("web"), "R", "A", "n")
		pass(5 * time.Minute) // pauses of 30 s
		p.failing(nil)
		pass(time.Minute)
		p.failing(func(_ string, n int) failure {
			if n == len(p.verbs) && !strings.Contains(p.verbs[n-1], "db") {
				return failure{err: errors.New("connection refused")}
			}
			return failure{}
		})
		p.Normal(pod("db"), "R", "A", "n")
		pass(2 * time.Second)
		want(t, "Events", len(p.events), 2)
	})
}

// between fails if one of the pauses is not what it must be, made longer by up to a quarter.
func between(t *testing.T, pauses []time.Duration, want time.Duration) {
	t.Helper()
	for n, pause := range pauses {
		if pause < want || pause > want*5/4 {
			t.Errorf("pause %d is %v, want %v to a quarter more", n, pause, want)
		}
	}
}

func TestServerNamesThePause(t *testing.T) {
	between(t, pauses(t, Config{}, apierrors.NewTooManyRequests("slow down", 20), 90*time.Second)[:3], 20*time.Second)
	hour := apierrors.NewTooManyRequests("slow down", 3600)
	between(t, pauses(t, Config{}, hour, 6*time.Minute)[:2], MaxRetryAfter)
}

func TestOneThatFailsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{RetryFor: 2 * time.Minute})
		p.failing(func(_ string, n int) failure {
			if n%2 == 0 && len(p.events) < 2 || len(p.events) == 2 { // a webhook refuses the first Event
				return failure{err: apierrors.NewInternalError(errors.New("failed calling webhook"))}
			}
			return failure{}
		})
		for _, name := range []string{"bad", "web", "db"} {
			p.Normal(pod(name), "R", "A", "n")
		}
		pass(10 * time.Second)
		want(t, "Events", len(p.events), 2)
		pass(3 * time.Minute)
		p.status(t, map[Cause]int64{Unavailable: 1})
	})
}

func TestRequestThatHangsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{RequestTimeout: 3 * time.Second})
		p.failing(func(_ string, n int) failure {
			if n == 0 {
				return failure{err: errHang}
			}
			return failure{}
		})
		p.Normal(pod("web"), "R", "A", "n")
		pass(2 * time.Second)
		want(t, "requests before the time-out", len(p.requests()), 1)
		pass(3 * time.Second)
		want(t, "Events", len(p.events), 1)
		want(t, "retries", p.status(t, nil).Retries, 1)
	})
}

func TestStopWritesWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{})
		for range 7 {
			p.Normal(pod("web"), "R", "A", "n")
			synctest.Wait()
		}
		want(t, "buffered", p.status(t, nil).Buffered, 6)
		began := time.Now()
		p.stop()
		want(t, "took", time.Since(began), 0)
		want(t, "count", p.one().Series.Count, 7)
		p.Normal(pod("web"), "R", "A", "n")
		p.status(t, map[Cause]int64{Stopped: 1})
	})
}

func TestStopWaitsNoLongerThanItMay(t *testing.T) {
	tests := map[string]struct {
		fail    func(string, int) failure
		timeout time.Duration
		took    time.Duration
	}{
		"the server hangs":        {func(string, int) failure { return failure{err: errHang} }, 0, 5 * time.Second},
		"the server is down":      {down, 7 * time.Second, 7 * time.Second},
		"there is no time at all": {func(string, int) failure { return failure{err: errHang} }, -1, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := open(t, Config{FlushTimeout: test.timeout})
				p.failing(test.fail)
				for _, name := range []string{"web", "db", "web"} {
					p.Normal(pod(name), "R", "A", "n")
				}
				synctest.Wait()
				began := time.Now()
				p.stop()
				want(t, "took", time.Since(began), test.took)
				p.status(t, map[Cause]int64{Stopped: 3})
			})
		})
	}
}

func TestServerThatComesBackWhileStoppingGetsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{MinBackoff: 20 * time.Second})
		p.failing(down)
		p.Normal(pod("web"), "R", "A", "n")
		synctest.Wait() // it has failed, and pauses for 20 s
		p.failing(nil)
		p.stop()
		want(t, "Events", len(p.events), 1)
	})
}

func TestRecordedBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		recorder, err := New(Config{Client: s, Controller: "c"})
		if err != nil {
			t.Fatal(err)
		}
		recorder.Normal(pod("web"), "R", "A", "n")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := recorder.Run(ctx); err != nil { // nothing but flushes
			t.Fatal(err)
		}
		want(t, "Events", len(s.events), 1)
		if err := recorder.Run(ctx); !errors.Is(err, ErrStarted) {
			t.Errorf("the second Run returned %v", err)
		}
	})
}

func TestNilRecorderRecordsNothing(t *testing.T) {
	var recorder *Recorder
	recorder.Normal(pod("web"), "R", "A", "n")
	want(t, "recorded", recorder.Status().Recorded, 0)
}

func TestNotesAreNotLogged(t *testing.T) {
	var log strings.Builder
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{Logger: textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&log), textlogger.Verbosity(9)))})
		p.failing(func(_ string, n int) failure {
			return failure{err: []error{errors.New("down"), apierrors.NewBadRequest("no")}[n%2]}
		})
		p.Normal(pod("web"), "R", "A", "canary")
		pass(time.Minute)
	})
	if !strings.Contains(log.String(), "shop/web") || strings.Contains(log.String(), "canary") {
		t.Errorf("the log is %q", log.String())
	}
}

func TestManyRecordAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Config{Burst: -1, Similar: -1})
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				for m := range 100 {
					p.Normal(pod(fmt.Sprint("p", m%10)), "R", "A", fmt.Sprint(n%4))
					p.Status()
				}
			})
		}
		all.Wait()
		p.stop()
		var sum int
		for _, n := range slices.Collect(maps.Values(p.counts())) {
			sum += n
		}
		want(t, "on the server", sum, 800)
		p.status(t, nil)
	})
}
