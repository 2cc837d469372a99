package queue_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

const half = 500 * time.Millisecond

// newHotRig returns a queue of keys that are hot when events come within a second, and an event that made the key warm.
func newHotRig(t *testing.T) rig {
	t.Helper()
	r := newRig(t, queue.Config[string]{HotKeys: queue.HotKeys{Quiet: time.Second, MaxWait: 3 * time.Second}})
	r.AddWith("a", queue.AddOptions{})
	r.finish("a", queue.Success()) // the first event is not late
	return r
}

func TestABurstOfEventsIsOneRunWhenItIsOver(t *testing.T) {
	r := newHotRig(t)
	r.clock.Step(half)
	r.AddWith("a", queue.AddOptions{})
	r.clock.Step(half)
	r.AddWith("a", queue.AddOptions{})
	r.clock.Step(time.Second - 1)
	r.AddWith("a", queue.AddOptions{})
	r.Finish(r.takeAfter(time.Second, "a"), queue.Success())
	r.clock.Step(time.Minute)
	r.wantIdle()
}

func TestEventsThatNeverEndWaitForMaxWaitAtMost(t *testing.T) {
	tests := map[string]struct{ maxWait, want time.Duration }{
		"configured":        {3 * time.Second, 3 * time.Second},
		"ten times Quiet":   {0, 10 * time.Second},
		"as short as Quiet": {time.Second, time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{HotKeys: queue.HotKeys{Quiet: time.Second, MaxWait: test.maxWait}})
			r.AddWith("a", queue.AddOptions{})
			r.finish("a", queue.Success())
			for range 3 { // one wait after the other
				r.AddWith("a", queue.AddOptions{}) // begins it
				for range test.want/half - 1 {
					r.clock.Step(half)
					r.wantIdle()
					r.AddWith("a", queue.AddOptions{})
				}
				r.Finish(r.takeAfter(half, "a"), queue.Success())
			}
		})
	}
}

func TestAKeyIsColdAgainAfterQuiet(t *testing.T) {
	r := newHotRig(t)
	r.clock.Step(time.Second)
	r.AddWith("a", queue.AddOptions{})
	r.finish("a", queue.Success())

	r.clock.Step(time.Second - 1)
	r.AddWith("a", queue.AddOptions{})
	r.wantIdle() // hot again
}

func TestAHotKeyDoesNotHeatOthers(t *testing.T) {
	r := newHotRig(t)
	r.AddWith("b", queue.AddOptions{})
	r.take("b")
}

func TestWhatBypassesQuiet(t *testing.T) {
	tests := map[string]struct {
		add  func(r rig)
		want time.Duration
	}{
		"Now":               {func(r rig) { r.AddWith("a", queue.AddOptions{Now: true}) }, 0},
		"Add":               {func(r rig) { r.Add("a") }, 0},
		"an earlier delay":  {func(r rig) { r.AddWith("a", queue.AddOptions{Delay: half}) }, half},
		"an AddAfter":       {func(r rig) { r.AddAfter("a", half) }, half},
		"a later AddAfter":  {func(r rig) { r.AddAfter("a", time.Hour) }, time.Second},
		"no urgent event":   {func(r rig) { r.AddWith("a", at(queue.Urgent)) }, time.Second},
		"nothing by itself": {func(rig) {}, time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newHotRig(t)
			r.AddWith("a", queue.AddOptions{}) // waits for quiet
			test.add(r)
			r.Finish(r.takeAfter(test.want, "a"), queue.Success())
			r.clock.Step(time.Minute)
			r.wantIdle()
		})
	}
}

func TestAHotKeyDoesNotWaitLongerThanADelayThatItHas(t *testing.T) {
	r := newHotRig(t)
	r.AddAfter("a", half)
	r.AddWith("a", queue.AddOptions{})
	r.takeAfter(half, "a")
}

func TestEventsOfAHotKeyWhileItRuns(t *testing.T) {
	r := newHotRig(t)
	r.Add("a")
	item := r.take("a")
	r.AddWith("a", queue.AddOptions{})
	if info, _ := r.Find("a"); info.State != queue.Running || info.Next != queue.Delayed || info.Wait != queue.WaitQuiet {
		t.Errorf("is %s", info.Why())
	}
	r.clock.Step(half)
	r.Finish(item, queue.Success())
	r.takeAfter(half, "a")
}

func TestAHotKeyThatFailsWaitsForItsRetry(t *testing.T) {
	r := newHotRig(t)
	r.Add("a")
	item := r.take("a")
	r.AddWith("a", queue.AddOptions{})
	r.Finish(item, queue.RetryAfter(time.Minute, errBroken))
	r.AddWith("a", queue.AddOptions{})
	r.takeAfter(time.Minute, "a")
}

func TestAThousandIdleKeysAreKnownToBeWarm(t *testing.T) {
	r := newHotRig(t)
	for range 2 {
		for i := range 1000 {
			r.AddWith(strconv.Itoa(i), queue.AddOptions{})
		}
		for _, key := range take(t, r.Queue) {
			r.Done(key)
		}
	}
	if delayed := r.Status().Delayed; delayed != 1000 {
		t.Errorf("%d keys wait for quiet, want 1000", delayed)
	}
}

func TestNoKeyIsHotByDefault(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	for range 10 {
		r.AddWith("a", queue.AddOptions{})
		r.finish("a", queue.Success())
	}
}

// The documentation counts each event: the one before came half a second ago.
func TestEventsOfAReadyKeyDoNotKeepItHot(t *testing.T) {
	r := newHotRig(t)
	r.clock.Step(time.Minute)
	for range 10 { // all workers are busy
		r.AddWith("a", queue.AddOptions{})
		r.clock.Step(half)
	}
	r.finish("a", queue.Success())
	r.AddWith("a", queue.AddOptions{})
	r.wantIdle()
}

// Of two delays the earlier wins, however often the other is put off.
func TestQuietPutsOffALaterDelay(t *testing.T) {
	r := newHotRig(t)
	r.AddWith("a", queue.AddOptions{})
	r.AddAfter("a", 2*time.Second)
	for range 3 {
		r.clock.Step(half)
		r.wantIdle()
		r.AddWith("a", queue.AddOptions{})
	}
	r.takeAfter(half, "a")
}
