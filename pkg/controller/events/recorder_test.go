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
func (p *play) status(t *testing.T, dropped map[Cause]int) Status {
	t.Helper()
	s := p.Status()
	var sum int
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
