package queue_test

import (
	"math"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestDelays(t *testing.T) {
	tests := map[string]struct {
		add  func(r rig)
		want map[time.Duration][]string // what is ready at that time after the start
	}{
		"in order of due time": {
			add:  func(r rig) { r.AddAfter("late", 2*time.Second); r.AddAfter("soon", time.Second) },
			want: map[time.Duration][]string{time.Second: {"soon"}, 2 * time.Second: {"late"}},
		},
		"earlier delay wins": {
			add:  func(r rig) { r.AddAfter("a", 3*time.Second); r.AddAfter("a", time.Second) },
			want: map[time.Duration][]string{time.Second: {"a"}},
		},
		"later delay is ignored": {
			add:  func(r rig) { r.AddAfter("a", time.Second); r.AddAfter("a", 3*time.Second) },
			want: map[time.Duration][]string{time.Second: {"a"}},
		},
		"earlier delay of an event wins": {
			add:  func(r rig) { r.AddAfter("a", 3*time.Second); r.AddWith("a", queue.AddOptions{Delay: time.Second}) },
			want: map[time.Duration][]string{time.Second: {"a"}},
		},
		"later delay of an event is ignored": {
			add:  func(r rig) { r.AddAfter("a", time.Second); r.AddWith("a", queue.AddOptions{Delay: 3 * time.Second}) },
			want: map[time.Duration][]string{time.Second: {"a"}},
		},
		"add overtakes the delay of an event": {
			add:  func(r rig) { r.AddWith("a", queue.AddOptions{Delay: time.Second}); r.Add("a") },
			want: map[time.Duration][]string{0: {"a"}},
		},
		"event overtakes the delay of another": {
			add: func(r rig) {
				r.AddWith("a", queue.AddOptions{Delay: time.Second})
				r.AddWith("a", queue.AddOptions{})
			},
			want: map[time.Duration][]string{0: {"a"}},
		},
		"add leaves AddAfter a run of its own": {
			add:  func(r rig) { r.AddAfter("a", time.Second); r.Add("a") },
			want: map[time.Duration][]string{0: {"a"}, time.Second: {"a"}},
		},
		"event leaves AddAfter a run of its own": {
			add:  func(r rig) { r.AddAfter("a", time.Second); r.AddWith("a", queue.AddOptions{}) },
			want: map[time.Duration][]string{0: {"a"}, time.Second: {"a"}},
		},
		"now overtakes a delay, also its own": {
			add:  func(r rig) { r.AddWith("a", queue.AddOptions{Delay: time.Second, Now: true}) },
			want: map[time.Duration][]string{0: {"a"}},
		},
		"AddAfter of a ready key is a run of its own": {
			add:  func(r rig) { r.Add("a"); r.AddAfter("a", 2*time.Second); r.AddAfter("a", time.Second) },
			want: map[time.Duration][]string{0: {"a"}, time.Second: {"a"}},
		},
		"event's delay of a ready key is ignored": {
			add:  func(r rig) { r.Add("a"); r.AddWith("a", queue.AddOptions{Delay: time.Second}) },
			want: map[time.Duration][]string{0: {"a"}},
		},
		"no delay is an add": {
			add: func(r rig) {
				r.AddAfter("a", 0)
				r.AddAfter("b", -time.Second)
				r.AddWith("c", queue.AddOptions{Delay: -time.Second})
			},
			want: map[time.Duration][]string{0: {"a", "b", "c"}},
		},
		"the longest delay does not overflow": {
			add: func(r rig) {
				r.AddAfter("a", math.MaxInt64)
				r.clock.Step(time.Nanosecond)
				r.AddAfter("b", math.MaxInt64)
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{})
			test.add(r)
			for second := range 4 {
				got := take(t, r.Queue)
				wantKeys(t, got, test.want[time.Duration(second)*time.Second]...)
				for _, key := range got {
					r.Done(key)
				}
				r.clock.Step(time.Second)
			}
		})
	}
}

func TestDelayWhileRunning(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Add("a")
	r.take("a")

	r.AddAfter("a", time.Second)
	r.clock.Step(2 * time.Second)
	r.wantIdle() // due, but still running
	r.Done("a")
	r.take("a")
}

func TestDoneKeepsTheDelay(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Add("a")
	r.take("a")
	r.AddAfter("a", time.Second)
	r.Done("a")
	r.takeAfter(time.Second, "a")
}

func TestLenCountsADelayedKeyOnceItIsDue(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.AddAfter("a", time.Second)
	for _, want := range []int{0, 1} {
		if got := r.Len(); got != want {
			t.Errorf("Len is %d, want %d", got, want)
		}
		r.clock.Step(time.Second)
	}
}

func TestRequeueAfter(t *testing.T) {
	tests := map[string]struct {
		outcome queue.Outcome
		running func(r rig) // while the key runs
		later   func(r rig) // after that
		want    time.Duration
	}{
		"waits":                       {outcome: queue.RequeueAfter(time.Minute), want: time.Minute},
		"earlier event":               {outcome: queue.RequeueAfter(time.Minute), later: func(r rig) { r.AddWith("a", queue.AddOptions{}) }},
		"event meanwhile":             {outcome: queue.RequeueAfter(time.Minute), running: func(r rig) { r.AddWith("a", queue.AddOptions{}) }},
		"earlier delay meanwhile":     {outcome: queue.RequeueAfter(time.Minute), running: func(r rig) { r.AddAfter("a", time.Second) }, want: time.Second},
		"later delay meanwhile":       {outcome: queue.RequeueAfter(time.Minute), running: func(r rig) { r.AddAfter("a", time.Hour) }, want: time.Minute},
		"no delay, event meanwhile":   {outcome: queue.RequeueAfter(0), running: func(r rig) { r.Add("a") }},
		"success keeps a later delay": {outcome: queue.Success(), running: func(r rig) { r.AddAfter("a", time.Hour) }, want: time.Hour},
		"the zero outcome is success": {running: func(r rig) { r.AddAfter("a", time.Hour) }, want: time.Hour},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{})
			r.Add("a")
			item := r.take("a")
			if test.running != nil {
				test.running(r)
			}
			r.Finish(item, test.outcome)
			if test.later != nil {
				test.later(r)
			}
			if got := r.takeAfter(test.want, "a"); got.Attempt != 1 {
				t.Errorf("attempt %d, want 1: a requeue is no failure", got.Attempt)
			}
			r.Done("a")
			r.clock.Step(2 * time.Hour)
			r.wantIdle() // it was one run
		})
	}
}

func TestRequeueAfterNoDelayIsAtOnce(t *testing.T) {
	for _, delay := range []time.Duration{0, -time.Second} {
		r := newRig(t, queue.Config[string]{})
		r.Add("a")
		r.finish("a", queue.RequeueAfter(delay))
		r.finish("a", queue.Success())
		r.wantIdle()
	}
}

func TestCancel(t *testing.T) {
	tests := map[string]struct {
		prepare func(r rig)
		want    bool
	}{
		"delay":    {func(r rig) { r.AddAfter("a", time.Second) }, true},
		"back-off": {func(r rig) { r.Add("a"); r.finish("a", queue.Retry(nil)) }, true},
		"quiet": {func(r rig) {
			r.AddWith("a", queue.AddOptions{})
			r.finish("a", queue.Success())
			r.AddWith("a", queue.AddOptions{})
		}, true},
		"delay while running":            {func(r rig) { r.Add("a"); r.take("a"); r.AddAfter("a", time.Second) }, true},
		"unknown":                        {func(rig) {}, false},
		"done":                           {func(r rig) { r.Add("a"); r.finish("a", queue.Success()) }, false},
		"running":                        {func(r rig) { r.Add("a"); r.take("a") }, false},
		"ready":                          {func(r rig) { r.Add("a") }, false},
		"parked":                         {func(r rig) { r.Add("a"); r.finish("a", queue.Park(nil)) }, false},
		"running, and again right after": {func(r rig) { r.Add("a"); r.take("a"); r.Add("a") }, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{HotKeys: queue.HotKeys{Quiet: time.Second}})
			test.prepare(r)
			before, _ := r.Find("a")
			if got := r.Cancel("a"); got != test.want {
				t.Errorf("Cancel says %v, want %v", got, test.want)
			}
			after, _ := r.Find("a")
			switch {
			case !test.want && (after.State != before.State || after.Next != before.Next):
				t.Errorf("was %v %v, is %v %v", before.State, before.Next, after.State, after.Next)
			case test.want && (after.State == queue.Delayed || after.Next != ""):
				t.Errorf("still %v %v", after.State, after.Next)
			}
		})
	}
}

func TestCancelIsTooLateForAKeyThatIsDue(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.AddAfter("a", time.Second)
	r.clock.Step(time.Second)
	if r.Cancel("a") {
		t.Error("cancelled a run that was due")
	}
	r.take("a")
}

func TestCancelKeepsTheFailures(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Add("a")
	r.finish("a", queue.Retry(nil))
	r.Cancel("a")
	r.clock.Step(time.Hour)
	r.wantIdle()
	r.Add("a")
	if item := r.take("a"); item.Attempt != 2 {
		t.Errorf("attempt %d, want 2", item.Attempt)
	}
}
