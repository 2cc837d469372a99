package events

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

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
		p.status(t, map[Cause]int{Stopped: 1})
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
				p.status(t, map[Cause]int{Stopped: 3})
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
