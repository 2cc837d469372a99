package queue_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestSteadyStateAllocatesNothing(t *testing.T) {
	configs := map[string]queue.Config[string]{
		"default":  {},
		"tenants":  {Tenant: namespace},
		"hot keys": {HotKeys: queue.HotKeys{Quiet: time.Second}},
		"timed":    {Timed: true},
		"metrics":  {Metrics: &caller{func() {}}},
		"all": {
			Tenant: namespace, HotKeys: queue.HotKeys{Quiet: time.Second}, Timed: true, MaxRetries: 5, MaxOvertakes: 3,
		},
	}
	for name, config := range configs {
		for cycle, run := range cycles() {
			t.Run(name+"/"+cycle, func(t *testing.T) {
				clock := clocktesting.NewFakeClock(time.Unix(0, 0))
				config.Clock, config.RateLimiter = quietClock{clock}, backOff()
				q := queue.New(config)
				defer q.ShutDown()
				c := cycleRun{q, clock, keysOfTenants()}
				c.repeat(run) // what is kept is made
				if got := testing.AllocsPerRun(100, func() { c.repeat(run) }); got != 0 {
					t.Errorf("%v allocations in %d cycles, want none", got, len(c.keys))
				}
			})
		}
	}
}

// A cycleRun is what a cycle works with.
type cycleRun struct {
	q     *queue.Queue[string]
	clock *clocktesting.FakeClock
	keys  []string
}

func (c cycleRun) repeat(run func(c cycleRun, key string)) {
	for _, key := range c.keys {
		run(c, key)
	}
}

func keysOfTenants() []string {
	keys := make([]string, 64)
	for i := range keys {
		keys[i] = fmt.Sprintf("%d/%d", i%8, i)
	}
	return keys
}

func cycles() map[string]func(c cycleRun, key string) {
	event := queue.AddOptions{Priority: queue.High, Trigger: queue.Trigger{Source: "pods", Cause: "updated"}}
	return map[string]func(c cycleRun, key string){
		"AddGetDone": func(c cycleRun, key string) {
			c.q.Add(key)
			c.getDone()
		},
		"AddWithTakeFinish": func(c cycleRun, key string) {
			c.q.AddWith(key, event)
			c.q.AddWith(key, event)
			c.clock.Step(2 * time.Second)
			c.takeFinish(queue.Success())
		},
		"FinishAndTake": func(c cycleRun, key string) {
			c.q.AddWith(key, event)
			c.clock.Step(2 * time.Second)
			item, _ := c.q.Take(context.Background())
			c.q.Add(key)
			c.q.FinishAndTake(&item, queue.Success())
			c.q.FinishAndTake(&item, queue.Success())
		},
		"AddRateLimitedForget": func(c cycleRun, key string) {
			c.q.AddRateLimited(key)
			c.clock.Step(time.Second)
			c.getDone()
			c.q.Forget(key)
		},
		"Retry": func(c cycleRun, key string) {
			c.q.AddWith(key, queue.AddOptions{Now: true})
			c.takeFinish(queue.Retry(errBroken))
			c.clock.Step(time.Second)
			c.takeFinish(queue.Success())
		},
		"AddAfter": func(c cycleRun, key string) {
			c.q.AddAfter(key, time.Second)
			c.clock.Step(time.Second)
			c.getDone()
		},
		"Priorities": func(c cycleRun, key string) {
			c.q.AddWith(key, queue.AddOptions{Priority: queue.Low, Now: true})
			c.q.AddWith(key, queue.AddOptions{Priority: queue.Urgent})
			c.takeFinish(queue.Success())
		},
	}
}

func (c cycleRun) getDone() {
	key, _ := c.q.Get()
	c.q.Done(key)
}

func (c cycleRun) takeFinish(outcome queue.Outcome) {
	item, _ := c.q.Take(context.Background())
	c.q.Finish(item, outcome)
}

func TestNewKeysInTheLongRunAllocateNothing(t *testing.T) {
	q := queue.New(queue.Config[int]{})
	next := 0
	cycle := func() {
		next++
		q.Add(next)
		key, _ := q.Get()
		q.Done(key)
	}
	for range 20_000 { // more than are remembered
		cycle()
	}
	if got := testing.AllocsPerRun(1000, cycle); got != 0 {
		t.Errorf("%v allocations for each new key, want none", got)
	}
}

func TestARepeatedAddAllocatesNothing(t *testing.T) {
	q := queue.New(queue.Config[string]{})
	q.Add("a")
	got := testing.AllocsPerRun(100, func() {
		q.Add("a")
		q.AddWith("a", queue.AddOptions{Trigger: queue.Trigger{Cause: "updated"}})
	})
	if got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}
