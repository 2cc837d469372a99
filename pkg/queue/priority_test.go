package queue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func at(priority queue.Priority) queue.AddOptions { return queue.AddOptions{Priority: priority} }

func TestClassesAreServedFromTheHighest(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	for i, priority := range []queue.Priority{
		queue.Low, queue.Urgent, queue.Background, queue.Normal, queue.High, queue.Low, queue.Urgent,
	} {
		r.AddWith(fmt.Sprint(priority, i), at(priority))
	}
	wantKeys(t, take(t, r.Queue), "urgent 1", "urgent 6", "high 4", "normal 3", "low 0", "low 5", "background 2")
}

func TestItemsSayTheirPriority(t *testing.T) {
	tests := map[queue.Priority]queue.Priority{
		queue.Background: queue.Background,
		queue.Normal:     queue.Normal,
		queue.Urgent:     queue.Urgent,
		queue.Urgent + 1: queue.Urgent, // beyond the named ones: the nearest
		127:              queue.Urgent,
		-128:             queue.Background,
	}
	for priority, want := range tests {
		r := newRig(t, queue.Config[string]{})
		r.AddWith("a", at(priority))
		if got := r.take("a").Priority; got != want {
			t.Errorf("added at %v, served at %v, want %v", priority, got, want)
		}
	}
}

func TestTheHighestPriorityCounts(t *testing.T) {
	states := map[string]struct {
		prepare func(r rig, first queue.Priority)
		release func(r rig) // until the key is ready
	}{
		"ready": {func(r rig, first queue.Priority) { r.AddWith("a", at(first)) }, func(rig) {}},
		"delayed": {func(r rig, first queue.Priority) {
			r.AddWith("a", queue.AddOptions{Priority: first, Delay: time.Second})
		}, func(r rig) { r.clock.Step(time.Second) }},
		"in back-off": {func(r rig, first queue.Priority) {
			r.AddWith("a", at(first))
			r.finish("a", queue.Retry(nil))
		}, func(r rig) { r.clock.Step(time.Second) }},
		"pending while running": {func(r rig, first queue.Priority) {
			r.Add("a")
			r.take("a")
			r.AddWith("a", at(first))
		}, func(r rig) { r.Done("a") }},
		"parked": {func(r rig, first queue.Priority) {
			r.AddWith("a", at(first))
			r.finish("a", queue.Park(nil))
		}, func(r rig) { r.Replay("a") }},
	}
	tests := []struct{ first, second, want queue.Priority }{
		{queue.Low, queue.High, queue.High},                // raised
		{queue.High, queue.Low, queue.High},                // never lowered
		{queue.Background, queue.Low, queue.Low},           // also among the lower ones
		{queue.Urgent, queue.Background, queue.Urgent},     // from end to end
		{queue.Normal, queue.Normal + 1, queue.Normal + 1}, // to the next
	}
	for name, state := range states {
		for _, test := range tests {
			t.Run(fmt.Sprint(name, test.first, test.second), func(t *testing.T) {
				r := newRig(t, queue.Config[string]{})
				state.prepare(r, test.first)
				r.AddWith("a", at(test.second))
				state.release(r)
				if got := r.take("a").Priority; got != test.want {
					t.Errorf("served at %v, want %v", got, test.want)
				}
			})
		}
	}
}

func TestARaisedKeyMovesAmongThoseThatWait(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	for _, key := range []string{"a", "b", "c"} {
		r.Add(key)
	}
	r.AddWith("b", at(queue.High))
	if r.Len() != 3 {
		t.Errorf("Len is %d, want 3", r.Len())
	}
	wantKeys(t, take(t, r.Queue), "b", "a", "c")
}

func TestAddHasNormalPriorityOrTheOneThatTheKeyHas(t *testing.T) {
	tests := map[queue.Priority]queue.Priority{
		queue.Background: queue.Normal,
		queue.High:       queue.High,
	}
	for before, want := range tests {
		r := newRig(t, queue.Config[string]{})
		r.AddWith("a", at(before))
		r.Add("a")
		if got := r.take("a").Priority; got != want {
			t.Errorf("waited at %v, added, served at %v, want %v", before, got, want)
		}
	}
}

func TestAPriorityIsForgottenWithTheRun(t *testing.T) {
	adds := map[string]struct {
		add  func(r rig)
		want queue.Priority
	}{
		"AddWith":        {func(r rig) { r.AddWith("a", at(queue.Low)) }, queue.Low},
		"Add":            {func(r rig) { r.Add("a") }, queue.Normal},
		"AddAfter":       {func(r rig) { r.AddAfter("a", time.Second) }, queue.Normal},
		"AddRateLimited": {func(r rig) { r.AddRateLimited("a") }, queue.Normal},
	}
	for name, test := range adds {
		r := newRig(t, queue.Config[string]{})
		r.AddWith("a", at(queue.Urgent))
		r.finish("a", queue.Success())
		test.add(r)
		r.clock.Step(time.Second)
		if got := r.take("a").Priority; got != test.want {
			t.Errorf("%s: served at %v, want %v", name, got, test.want)
		}
	}
}

// serve takes keys while each class in the stream has always one more that is ready, and returns their classes.
func serve(t *testing.T, maxOvertakes, keys int, stream ...queue.Priority) []queue.Priority {
	t.Helper()
	r := newRig(t, queue.Config[string]{MaxOvertakes: maxOvertakes})
	added := 0
	add := func(priority queue.Priority) {
		added++
		r.AddWith(fmt.Sprint(added), at(priority))
	}
	for _, priority := range stream {
		add(priority)
	}
	served := make([]queue.Priority, keys)
	for i := range served {
		item, err := r.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		add(item.Priority)
		served[i] = item.Priority
		r.Finish(item, queue.Success())
	}
	return served
}

// longestWait returns how many keys of other classes at most were served between two of the class.
func longestWait(served []queue.Priority, class queue.Priority) int {
	longest, waited := 0, 0
	for _, priority := range served {
		waited++
		if priority == class {
			waited = 0
		}
		longest = max(longest, waited)
	}
	return longest
}

func TestMaxOvertakes(t *testing.T) {
	all := []queue.Priority{queue.Background, queue.Low, queue.Normal, queue.High, queue.Urgent}
	tests := map[string]struct {
		max    int
		stream []queue.Priority
		want   map[queue.Priority]int // longest wait
	}{
		"lowest under urgent": {3, []queue.Priority{queue.Background, queue.Urgent}, map[queue.Priority]int{
			queue.Background: 3, queue.Urgent: 1,
		}},
		"neighbours": {7, []queue.Priority{queue.Normal, queue.High}, map[queue.Priority]int{queue.Normal: 7, queue.High: 1}},
		"by default": {0, []queue.Priority{queue.Background, queue.Urgent}, map[queue.Priority]int{
			queue.Background: queue.DefaultMaxOvertakes, queue.Urgent: 1,
		}},
		"each class after one key of each below": {9, all, map[queue.Priority]int{
			queue.Background: 9, queue.Low: 10, queue.Normal: 11, queue.High: 12, queue.Urgent: 4,
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			served := serve(t, test.max, 1000, test.stream...)
			for class, want := range test.want {
				if got := longestWait(served, class); got > want || got == 0 {
					t.Errorf("%v waited for %d keys of others, want %d at most", class, got, want)
				}
			}
			lowest := test.stream[0]
			if got := longestWait(served, lowest); got != test.want[lowest] {
				t.Errorf("%v waited for %d keys of others, want %d", lowest, got, test.want[lowest])
			}
		})
	}
}

func TestAClassThatWasEmptyBeginsToWaitAnew(t *testing.T) {
	r := newRig(t, queue.Config[string]{MaxOvertakes: 3})
	for i := range 8 {
		r.AddWith(fmt.Sprint("urgent ", i), at(queue.Urgent))
	}
	r.AddWith("low 1", at(queue.Low))
	r.take("urgent 0")
	r.take("urgent 1")
	r.AddWith("low 1", at(queue.Urgent))
	r.AddWith("low 2", at(queue.Low))
	wantKeys(t, take(t, r.Queue)[:4], "urgent 2", "urgent 3", "urgent 4", "low 2")
}

func TestABacklogOfOldWorkHardlyHoldsUpNewWork(t *testing.T) {
	r := newRig(t, queue.Config[string]{MaxOvertakes: 4})
	for i := range 1000 {
		r.AddWith(fmt.Sprint("old ", i), at(queue.Background))
	}
	for i := range 8 {
		r.Add(fmt.Sprint("new ", i))
	}
	wantKeys(t, take(t, r.Queue)[:11],
		"new 0", "new 1", "new 2", "new 3", "old 0", "new 4", "new 5", "new 6", "new 7", "old 1", "old 2")
}

func TestPriorityString(t *testing.T) {
	tests := map[queue.Priority]string{
		queue.Background: "background",
		queue.Low:        "low",
		queue.Normal:     "normal",
		queue.High:       "high",
		queue.Urgent:     "urgent",
		3:                "Priority(3)",
		-128:             "Priority(-128)",
	}
	for priority, want := range tests {
		if got := priority.String(); got != want {
			t.Errorf("%d is %q, want %q", priority, got, want)
		}
	}
}

func TestTheZeroPriorityIsNormal(t *testing.T) {
	if queue.Priority(0) != queue.Normal {
		t.Error("the zero Priority is not Normal")
	}
}

// The retry of a run serves everything that the run was for, so the highest priority counts here too.
func TestALowerEventWhileRunningLowersTheRetry(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.AddWith("a", at(queue.Urgent))
	item := r.take("a")
	r.AddWith("a", at(queue.Background))
	r.Finish(item, queue.Retry(nil))
	if got := r.takeAfter(time.Second, "a").Priority; got != queue.Urgent {
		t.Errorf("an urgent run is retried at %v, want urgent", got)
	}
}
