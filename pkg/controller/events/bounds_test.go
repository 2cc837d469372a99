package events

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

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
		p.status(t, map[Cause]int{Limited: 2})
		want(t, "Events", len(p.events), 4)
		pass(time.Minute)
		p.Normal(pod("web"), "Reason5", "A", "n")
		p.Normal(pod("web"), "Reason6", "A", "n")
		p.status(t, map[Cause]int{Limited: 3})
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
		p.status(t, map[Cause]int{Full: 2})
		pass(time.Minute)
		p.failing(nil)
		pass(2 * time.Minute)
		want(t, "on the server", fmt.Sprint(p.counts()), "map[0:11 1:1 2:1]")
		p.status(t, map[Cause]int{Full: 2})
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
