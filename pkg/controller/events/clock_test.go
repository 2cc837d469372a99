package events

import (
	"testing"
	"testing/synctest"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

// The recorder waits by the clock that it is given, and Events have its time, whatever the real one says.
func TestTheClockIsTheConfigs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := clocktesting.NewFakeClock(time.Unix(1_000_000, 0))
		p := open(t, Config{Clock: clock, FlushTimeout: time.Minute})
		p.failing(down)
		p.Normal(pod("web"), "R", "A", "n")
		pass(24 * time.Hour)
		want(t, "requests", len(p.requests()), 1)
		p.failing(nil)
		clock.Step(2 * time.Second)
		synctest.Wait()
		want(t, "requests", len(p.requests()), 2)
		want(t, "time of the Event", p.one().EventTime.Unix(), 1_000_000)

		p.Normal(pod("web"), "R", "A", "n")
		pass(24 * time.Hour)
		want(t, "requests before the UpdateInterval is over", len(p.requests()), 2)
		clock.Step(time.Minute)
		synctest.Wait()
		want(t, "count", p.one().Series.Count, 2)
	})
}

// The time to flush goes by it, too.
func TestTheFlushGoesByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := clocktesting.NewFakeClock(time.Unix(1_000_000, 0))
		p := open(t, Config{Clock: clock, FlushTimeout: time.Minute})
		p.failing(down)
		p.Normal(pod("web"), "R", "A", "n")
		stopped := make(chan struct{})
		go func() {
			p.stop()
			close(stopped)
		}()
		pass(24 * time.Hour)
		select {
		case <-stopped:
			t.Error("it did not wait")
		default:
		}
		clock.Step(time.Minute)
		<-stopped
		p.status(t, map[Cause]int{Stopped: 1})
	})
}
