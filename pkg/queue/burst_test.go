package queue

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// Whatever way the keys of a burst go, little is left of them.
func TestLittleIsLeftOfABurst(t *testing.T) {
	const burst = 200_000
	runAll := func(q *Queue[int], outcome Outcome) {
		for q.Len() > 0 {
			item, _ := q.Take(context.Background())
			q.Finish(item, outcome)
		}
	}
	tests := map[string]func(q *Queue[int], each func(func(key int))){
		"run": func(q *Queue[int], each func(func(key int))) {
			each(q.Add)
			runAll(q, Success())
		},
		"run while running": func(q *Queue[int], each func(func(key int))) {
			each(q.Add)
			each(func(int) { q.Get() })
			each(q.Done)
		},
		"cancelled": func(q *Queue[int], each func(func(key int))) {
			each(func(key int) { q.AddAfter(key, time.Hour) })
			each(func(key int) { q.Cancel(key) })
		},
		"parked and dropped": func(q *Queue[int], each func(func(key int))) {
			each(q.Add)
			runAll(q, Park(nil))
			q.DropAll()
		},
		"failed and forgotten": func(q *Queue[int], each func(func(key int))) {
			each(q.Add)
			runAll(q, Retry(nil))
			each(q.Add)
			runAll(q, Success())
		},
		"shut down": func(q *Queue[int], each func(func(key int))) {
			each(func(key int) { q.AddAfter(key, time.Hour) })
			q.ShutDown()
		},
	}
	for name, pass := range tests {
		t.Run(name, func(t *testing.T) {
			q := New(Config[int]{Tenant: func(key int) string { return tenantOfKey(key / 100) }, Clock: clocktesting.NewFakeClock(time.Unix(0, 0))})
			pass(q, func(do func(int)) {
				for key := range burst {
					do(key)
				}
			})
			if err := CheckInvariants(q); err != nil {
				t.Error(err)
			}
			table := &q.core.table
			if len(table.entries) > DefaultRemember || table.peak >= minShrink || len(table.kept.slots) > 8*DefaultRemember {
				t.Errorf("%d entries in a map for %d, and %d slots in a ring", len(table.entries), table.peak, len(table.kept.slots))
			}
			if n := cap(q.core.delayed.slots); n > minRing {
				t.Errorf("%d slots in the schedule", n)
			}
		})
	}
}

// Thousands of keys, moved at random.
func TestInvariantsOfManyKeys(t *testing.T) {
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 0))
		clock := clocktesting.NewFakeClock(time.Unix(0, 0))
		q := New(Config[int]{
			Tenant: func(key int) string { return tenantOfKey(key / 10) }, MaxRetries: 2, MaxOvertakes: 3, Clock: clock,
			HotKeys: HotKeys{Quiet: time.Second}, Triggers: 2, Timed: true,
		})
		var items []Item[int]
		for range 50 {
			action := random.IntN(numActions)
			for range random.IntN(2000) {
				items = act(q, action, random, items)
			}
			clock.Step(time.Duration(random.IntN(3)) * time.Second)
			if err := CheckInvariants(q); err != nil {
				t.Fatal(err)
			}
		}
	}
}

const numActions = 14

// act does something with a random key, or with the items of runs.
func act(q *Queue[int], action int, random *rand.Rand, items []Item[int]) []Item[int] {
	key, delay := random.IntN(5000), time.Duration(random.IntN(10_000))*time.Millisecond
	switch action {
	case 0:
		q.Add(key)
	case 1:
		q.AddAfter(key, delay)
	case 2:
		q.AddRateLimited(key)
	case 3:
		q.AddWith(key, AddOptions{Priority: Priority(random.IntN(numClasses)) + Background})
	case 4:
		q.AddWith(key, AddOptions{Delay: delay, Now: random.IntN(2) == 0})
	case 5:
		q.Cancel(key)
	case 6:
		q.Replay(key)
	case 7:
		q.Drop(key)
	case 8:
		q.Forget(key)
	case 9, 10, 11:
		if item, err := q.Take(canceled()); err == nil {
			items = append(items, item)
		}
	default:
		if len(items) == 0 {
			break
		}
		outcomes := []Outcome{Success(), Retry(nil), RetryAfter(delay, nil), Park(nil), RequeueAfter(delay), Success()}
		q.Finish(items[0], outcomes[random.IntN(len(outcomes))])
		items = items[1:]
	}
	return items
}

// Producers and workers do everything at once, and at any moment all holds.
func TestInvariantsWhileManyUseTheQueue(t *testing.T) {
	q := New(Config[int]{
		RateLimiter: constant[int](time.Microsecond), MaxRetries: 2, Tenant: tenantOfKey, HotKeys: HotKeys{Quiet: time.Microsecond},
	})
	var working, producing sync.WaitGroup
	for seed := range uint64(4) {
		working.Go(func() {
			random := rand.New(rand.NewPCG(seed, 1))
			outcomes := []Outcome{Success(), Retry(nil), Park(nil), RequeueAfter(time.Microsecond)}
			for item, err := q.Take(context.Background()); err == nil; item, err = q.Take(context.Background()) {
				q.Finish(item, outcomes[random.IntN(len(outcomes))])
			}
		})
	}
	for seed := range uint64(3) {
		producing.Go(func() {
			random := rand.New(rand.NewPCG(seed, 2))
			for range 2000 {
				items := act(q, random.IntN(numActions), random, nil)
				for _, item := range items {
					q.Done(item.Key)
				}
			}
		})
	}
	for range 50 {
		if err := CheckInvariants(q); err != nil {
			t.Error(err)
			break
		}
		q.ReplayAll()
	}
	producing.Wait()
	q.ShutDown()
	working.Wait()
	if err := CheckInvariants(q); err != nil {
		t.Error(err)
	}
}

// A constant limiter lets each failure wait for as long.
type constant[K comparable] time.Duration

func (c constant[K]) When(K) time.Duration { return time.Duration(c) }
func (constant[K]) Forget(K)               {}
func (constant[K]) NumRequeues(K) int      { return 0 }
