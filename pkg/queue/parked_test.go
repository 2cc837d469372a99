package queue_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// parkedKeys returns the keys that are parked, in order.
func parkedKeys(q *queue.Queue[string]) []string {
	var keys []string
	for _, info := range q.Parked() {
		keys = append(keys, info.Key)
	}
	return keys
}

// park adds keys and ends their runs with Park.
func (r rig) park(keys ...string) {
	r.t.Helper()
	for _, key := range keys {
		r.Add(key)
		r.finish(key, queue.Park(errBroken))
		r.clock.Step(time.Second)
	}
}

func TestMaxRetries(t *testing.T) {
	tests := []struct{ maxRetries, runs int }{
		{3, 4},
		{1, 2},
		{-1, 1}, // no retry at all
		{-100, 1},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.maxRetries), func(t *testing.T) {
			r := newRig(t, queue.Config[string]{MaxRetries: test.maxRetries})
			r.Add("a")
			var last error
			for run := range test.runs {
				wantKeys(t, parkedKeys(r.Queue))
				last = fmt.Errorf("failure %d", run)
				r.finish("a", queue.Retry(last))
				r.clock.Step(time.Hour)
			}
			r.wantIdle()
			parked := r.Parked()
			if len(parked) != 1 {
				t.Fatalf("%d keys are parked, want 1", len(parked))
			}
			got := parked[0]
			if got.Key != "a" || got.State != queue.Parked || got.Failures != test.runs || !errors.Is(got.LastErr, last) {
				t.Errorf("%q is %v after %d failures, last %v; want a, parked, %d, %v",
					got.Key, got.State, got.Failures, got.LastErr, test.runs, last)
			}
		})
	}
}

func TestWithoutMaxRetriesNothingIsParked(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Add("a")
	for range 100 {
		r.finish("a", queue.Retry(errBroken))
		r.clock.Step(time.Minute)
	}
	wantKeys(t, parkedKeys(r.Queue))
}

func TestMaxRetriesHoldsForFailuresInARow(t *testing.T) {
	r := newRig(t, queue.Config[string]{MaxRetries: 1})
	r.Add("a")
	for range 5 {
		r.finish("a", queue.Retry(errBroken))
		r.Finish(r.takeAfter(time.Second, "a"), queue.Success())
		r.Add("a")
	}
	wantKeys(t, parkedKeys(r.Queue))
}

func TestMaxRetriesHoldsForRetryAfterToo(t *testing.T) {
	r := newRig(t, queue.Config[string]{MaxRetries: 1})
	r.Add("a")
	r.finish("a", queue.RetryAfter(0, errBroken))
	r.finish("a", queue.RetryAfter(0, errBroken))
	wantKeys(t, parkedKeys(r.Queue), "a")
}

func TestMaxRetriesDoesNotHoldForAddRateLimited(t *testing.T) {
	r := newRig(t, queue.Config[string]{MaxRetries: 1})
	for range 5 {
		r.AddRateLimited("a")
		r.clock.Step(time.Minute)
		r.take("a")
		r.Done("a")
	}
	wantKeys(t, parkedKeys(r.Queue))
}

func TestParkedKeysAreListedInTheOrderOfBeingParked(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	start := r.clock.Now()
	r.park("c", "a", "b")
	wantKeys(t, parkedKeys(r.Queue), "c", "a", "b")
	snapshot := r.Parked()
	for i, info := range snapshot {
		if want := start.Add(time.Duration(i) * time.Second); !info.Since.Equal(want) {
			t.Errorf("%s is parked since %v, want %v", info.Key, info.Since, want)
		}
	}
	r.DropAll()
	if len(snapshot) != 3 || snapshot[0].Key != "c" {
		t.Error("a snapshot changed")
	}
}

func TestWhatTakesAParkedKeyBack(t *testing.T) {
	tests := map[string]struct {
		add     func(r rig)
		back    bool
		wait    time.Duration
		attempt int
	}{
		"event":             {add: func(r rig) { r.AddWith("a", queue.AddOptions{}) }},
		"urgent event":      {add: func(r rig) { r.AddWith("a", at(queue.Urgent)) }},
		"delayed event":     {add: func(r rig) { r.AddWith("a", queue.AddOptions{Delay: time.Second}) }},
		"Cancel":            {add: func(r rig) { r.Cancel("a") }},
		"Done":              {add: func(r rig) { r.Done("a") }},
		"Forget":            {add: func(r rig) { r.Forget("a") }},
		"Now":               {func(r rig) { r.AddWith("a", queue.AddOptions{Now: true}) }, true, 0, 1},
		"Add":               {func(r rig) { r.Add("a") }, true, 0, 1},
		"AddAfter":          {func(r rig) { r.AddAfter("a", time.Minute) }, true, time.Minute, 1},
		"AddRateLimited":    {func(r rig) { r.AddRateLimited("a") }, true, time.Second, 2},
		"Replay":            {func(r rig) { r.Replay("a") }, true, 0, 1},
		"ReplayAll":         {func(r rig) { r.ReplayAll() }, true, 0, 1},
		"event, and Replay": {func(r rig) { r.AddWith("a", queue.AddOptions{}); r.Replay("a") }, true, 0, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{MaxRetries: 1})
			r.Add("a")
			r.finish("a", queue.Retry(errBroken))
			r.Finish(r.takeAfter(time.Second, "a"), queue.Retry(errBroken))
			test.add(r)
			if !test.back {
				r.clock.Step(time.Hour)
				r.wantIdle()
				wantKeys(t, parkedKeys(r.Queue), "a")
				return
			}
			wantKeys(t, parkedKeys(r.Queue))
			if info, _ := r.Find("a"); info.LastErr != nil {
				t.Errorf("last error is %v, want none", info.LastErr)
			}
			if item := r.takeAfter(test.wait, "a"); item.Attempt != test.attempt {
				t.Errorf("attempt %d, want %d", item.Attempt, test.attempt)
			}
		})
	}
}

func TestAnEventOfAParkedKeyIsSeenByTheRunThatComes(t *testing.T) {
	r := newRig(t, queue.Config[string]{Triggers: 8})
	r.park("a")
	r.AddWith("a", queue.AddOptions{Priority: queue.High, Trigger: queue.Trigger{Cause: "updated"}})
	r.Replay("a")
	item := r.take("a")
	if causes := causes(item.Triggers); item.Priority != queue.High || causes[len(causes)-2] != "updated" {
		t.Errorf("served at %v for %v; want at high, for the event too", item.Priority, causes)
	}
}

func TestReplayAllKeepsTheOrder(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.park("c", "a", "b")
	if count := r.ReplayAll(); count != 3 {
		t.Errorf("replayed %d keys, want 3", count)
	}
	if count := r.ReplayAll(); count != 0 {
		t.Errorf("replayed %d keys again", count)
	}
	wantKeys(t, take(t, r.Queue), "c", "a", "b")
}

func TestReplayAndDropSayWhetherTheKeyWasParked(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.park("a", "b")
	r.Add("ready")
	calls := []struct {
		name string
		call func(string) bool
		key  string
		want bool
	}{
		{"Replay", r.Replay, "a", true},
		{"Replay", r.Replay, "a", false},
		{"Replay", r.Replay, "ready", false},
		{"Replay", r.Replay, "unknown", false},
		{"Drop", r.Drop, "a", false},
		{"Drop", r.Drop, "b", true},
		{"Drop", r.Drop, "b", false},
		{"Drop", r.Drop, "unknown", false},
	}
	for _, c := range calls {
		if got := c.call(c.key); got != c.want {
			t.Errorf("%s of %s says %v, want %v", c.name, c.key, got, c.want)
		}
	}
	wantKeys(t, take(t, r.Queue), "ready", "a")
}

func TestADroppedKeyIsForgotten(t *testing.T) {
	drops := map[string]func(r rig){
		"Drop": func(r rig) { r.Drop("a"); r.Drop("b") },
		"DropAll": func(r rig) {
			if count := r.DropAll(); count != 2 {
				r.t.Errorf("dropped %d keys, want 2", count)
			}
		},
	}
	for name, drop := range drops {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{Triggers: 1})
			r.park("a", "b")
			drop(r)
			wantKeys(t, parkedKeys(r.Queue))
			if info, found := r.Find("a"); found {
				t.Errorf("found: %s", info.Why())
			}
			r.AddWith("a", queue.AddOptions{Trigger: queue.Trigger{Cause: "created"}})
			if item := r.take("a"); item.Attempt != 1 || item.Triggers.Count != 1 {
				t.Errorf("attempt %d for %v, want a key as new", item.Attempt, item.Triggers)
			}
		})
	}
}

func TestWhatComesWhileAKeyFailsForTheLastTime(t *testing.T) {
	adds := map[string]struct {
		add  func(r rig)
		back bool
		wait time.Duration
	}{
		"event":         {add: func(r rig) { r.AddWith("a", queue.AddOptions{}) }},
		"delayed event": {add: func(r rig) { r.AddWith("a", queue.AddOptions{Delay: time.Second}) }},
		"Now":           {func(r rig) { r.AddWith("a", queue.AddOptions{Now: true}) }, true, 0},
		"Add":           {func(r rig) { r.Add("a") }, true, 0},
		"AddAfter":      {func(r rig) { r.AddAfter("a", time.Minute) }, true, time.Minute},
	}
	ends := map[string]queue.Outcome{"Retry": queue.Retry(errBroken), "Park": queue.Park(errBroken)}
	for name, test := range adds {
		for end, outcome := range ends {
			t.Run(end+" "+name, func(t *testing.T) {
				r := newRig(t, queue.Config[string]{MaxRetries: -1})
				r.Add("a")
				item := r.take("a")
				test.add(r)
				r.Finish(item, outcome)
				if !test.back {
					r.clock.Step(time.Hour)
					r.wantIdle()
					wantKeys(t, parkedKeys(r.Queue), "a")
					return
				}
				if item := r.takeAfter(test.wait, "a"); item.Attempt != 1 {
					t.Errorf("attempt %d, want 1: it begins anew", item.Attempt)
				}
			})
		}
	}
}

func TestShutDownDropsParkedKeys(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.park("a", "b")
	r.ShutDown()
	wantKeys(t, parkedKeys(r.Queue))
	if r.Replay("a") || r.Drop("a") || r.ReplayAll()+r.DropAll() != 0 {
		t.Error("a key is parked after ShutDown")
	}
}

func TestNothingIsParkedAfterShutDown(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Add("a")
	item := r.take("a")
	r.ShutDown()
	r.Finish(item, queue.Park(errBroken))
	wantKeys(t, parkedKeys(r.Queue))
	if status := r.Status(); status.Parked+status.Running != 0 {
		t.Errorf("%+v is left", status)
	}
}
