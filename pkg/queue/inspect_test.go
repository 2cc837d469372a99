package queue_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// newBusyRig returns a queue with keys in each state: two ready, delayed, running and parked. A minute has passed since.
func newBusyRig(t *testing.T) rig {
	t.Helper()
	r := newRig(t, queue.Config[string]{Name: "pods", Timed: true})
	r.park("parked 1", "parked 2")
	r.Add("running 1")
	r.take("running 1")
	r.clock.Step(time.Second)
	r.Add("running 2")
	r.take("running 2")
	r.AddAfter("delayed 2", 2*time.Hour)
	r.AddAfter("delayed 1", time.Hour)
	r.AddWith("ready 2", at(queue.Low))
	r.Add("ready 1")
	r.clock.Step(time.Minute)
	return r
}

func keysOf(infos []queue.KeyInfo[string]) []string {
	var keys []string
	for _, info := range infos {
		keys = append(keys, info.Key)
	}
	return keys
}

func TestInspect(t *testing.T) {
	r := newBusyRig(t)
	snapshot := r.Inspect(-1)
	if snapshot.Name != "pods" || !snapshot.At.Equal(r.clock.Now()) || snapshot.ShutDown {
		t.Errorf("snapshot of %q at %v, shut down %v", snapshot.Name, snapshot.At, snapshot.ShutDown)
	}
	wantKeys(t, keysOf(snapshot.Ready), "ready 1", "ready 2")
	wantKeys(t, keysOf(snapshot.Delayed), "delayed 1", "delayed 2")
	wantKeys(t, keysOf(snapshot.Running), "running 1", "running 2")
	wantKeys(t, keysOf(snapshot.Parked), "parked 1", "parked 2")

	r.DropAll()
	r.Done("running 1")
	wantKeys(t, take(t, r.Queue), "ready 1", "ready 2")
	wantKeys(t, keysOf(snapshot.Ready), "ready 1", "ready 2") // it is a snapshot
	wantKeys(t, keysOf(snapshot.Parked), "parked 1", "parked 2")
}

func TestInspectLimits(t *testing.T) {
	r := newBusyRig(t)
	for limit, want := range map[int]int{0: 0, 1: 1, 2: 2, 3: 2, -1: 2, -100: 2} {
		snapshot := r.Inspect(limit)
		for state, infos := range map[queue.State][]queue.KeyInfo[string]{
			queue.Ready: snapshot.Ready, queue.Delayed: snapshot.Delayed,
			queue.Running: snapshot.Running, queue.Parked: snapshot.Parked,
		} {
			if len(infos) != want {
				t.Errorf("limit %d: %d keys are %s, want %d", limit, len(infos), state, want)
			}
			if len(infos) > 0 && infos[0].Key != string(state)+" 1" {
				t.Errorf("limit %d: %q comes first", limit, infos[0].Key)
			}
		}
		if s := snapshot.Status; s.Ready != 2 || s.Delayed != 2 || s.Running != 2 || s.Parked != 2 {
			t.Errorf("limit %d: the counts are %+v, want all", limit, s)
		}
	}
}

func TestReadyKeysAreListedByClassThenTenantThenAge(t *testing.T) {
	r := newRig(t, queue.Config[string]{Tenant: namespace})
	for _, key := range []string{"a/1", "a/2", "b/1", "a/3", "b/2"} {
		r.Add(key)
	}
	r.AddWith("b/3", at(queue.High))
	r.AddWith("a/4", at(queue.Low))
	wantKeys(t, keysOf(r.Inspect(-1).Ready), "b/3", "a/1", "a/2", "a/3", "b/1", "b/2", "a/4")
	r.take("b/3")
	r.take("a/1") // and now it is b's turn
	wantKeys(t, keysOf(r.Inspect(-1).Ready), "b/1", "b/2", "a/2", "a/3", "a/4")
	wantKeys(t, keysOf(r.Inspect(3).Ready), "b/1", "b/2", "a/2")
}

func TestDelayedKeysAreListedByDueTime(t *testing.T) {
	const keys = 200
	r := newRig(t, queue.Config[string]{})
	var want []string
	for i := range keys {
		n := i * 67 % keys // each once, out of order
		r.AddAfter(fmt.Sprintf("%03d", n), time.Duration(n+1)*time.Second)
		want = append(want, fmt.Sprintf("%03d", i))
	}
	for _, limit := range []int{1, 10, keys, keys + 1} {
		wantKeys(t, keysOf(r.Inspect(limit).Delayed), want[:min(limit, keys)]...)
	}
}

func TestWhy(t *testing.T) {
	fail := func(r rig, times int) {
		for n := range times {
			r.finish("a", queue.RetryAfter(0, fmt.Errorf("failure %d", n+1)))
		}
	}
	tests := map[string]func(r rig){
		"ready for 1m0s, waits for a worker in class low": func(r rig) {
			r.AddWith("a", at(queue.Low))
			r.clock.Step(time.Minute)
		},
		"waits 3s for its delay": func(r rig) {
			r.AddAfter("a", 5*time.Second)
			r.clock.Step(2 * time.Second)
		},
		`waits 700ms for its back-off; failures in a row: 1; last error: "broken"`: func(r rig) {
			r.Add("a")
			r.finish("a", queue.Retry(errBroken))
			r.clock.Step(300 * time.Millisecond)
		},
		"waits 1s for its quiet": func(r rig) {
			r.AddWith("a", queue.AddOptions{})
			r.finish("a", queue.Success())
			r.AddWith("a", queue.AddOptions{})
		},
		"running for 2s": func(r rig) {
			r.Add("a")
			r.take("a")
			r.clock.Step(2 * time.Second)
		},
		"running for 2s, and again right after": func(r rig) {
			r.Add("a")
			r.take("a")
			r.Add("a")
			r.clock.Step(2 * time.Second)
		},
		"running for 2s, and again in 3s (delay)": func(r rig) {
			r.Add("a")
			r.take("a")
			r.AddAfter("a", 5*time.Second)
			r.clock.Step(2 * time.Second)
		},
		`ready for 0s, waits for a worker in class normal; failures in a row: 2; last error: "failure 2"`: func(r rig) {
			r.Add("a")
			fail(r, 2)
		},
		`running for 0s; failures in a row: 1; last error: "failure 1"`: func(r rig) {
			r.Add("a")
			fail(r, 1)
			r.take("a")
		},
		`parked for 1h0m0s, waits to be replayed or dropped; failures in a row: 3; last error: "broken"`: func(r rig) {
			r.Add("a")
			fail(r, 2)
			r.finish("a", queue.Park(errBroken))
			r.clock.Step(time.Hour)
		},
		"parked for 0s, waits to be replayed or dropped; failures in a row: 1": func(r rig) {
			r.Add("a")
			r.finish("a", queue.Park(nil))
		},
	}
	for want, prepare := range tests {
		t.Run(want, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{Timed: true, HotKeys: queue.HotKeys{Quiet: time.Second}})
			prepare(r)
			info, found := r.Find("a")
			if !found {
				t.Fatal("not found")
			}
			if got := info.Why(); got != want {
				t.Errorf("why: %s\nwant: %s", got, want)
			}
		})
	}
}

func TestFindFindsWhatIsToBeDone(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	if _, found := r.Find("unknown"); found {
		t.Error("found a key that was never added")
	}
	r.Add("a")
	r.finish("a", queue.Success())
	if _, found := r.Find("a"); found {
		t.Error("found a key for which nothing is to be done")
	}
}

func TestKeyInfo(t *testing.T) {
	r := newRig(t, queue.Config[string]{Timed: true})
	start := r.clock.Now()
	r.AddWith("a", at(queue.High))
	r.finish("a", queue.RetryAfter(time.Second, errBroken))
	r.clock.Step(time.Second)
	r.take("a")
	r.clock.Step(time.Second)
	r.AddAfter("a", time.Minute)

	got, _ := r.Find("a")
	if got.Key != "a" || got.State != queue.Running || got.Next != queue.Delayed || got.Wait != queue.WaitDelay ||
		got.Priority != queue.High || got.Failures != 1 || !errors.Is(got.LastErr, errBroken) {
		t.Errorf("got %+v", got)
	}
	for name, pair := range map[string][2]time.Duration{
		"At":    {got.At.Sub(start), 2 * time.Second},
		"Since": {got.Since.Sub(start), time.Second},
		"Due":   {got.Due.Sub(start), 2*time.Second + time.Minute},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v after the start, want %v", name, pair[0], pair[1])
		}
	}
}

func TestARunningKeyHasThePriorityOfItsRun(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.AddWith("a", at(queue.Low))
	r.take("a")
	r.AddWith("a", at(queue.High))
	if info, _ := r.Find("a"); info.Priority != queue.Low || info.Next != queue.Ready {
		t.Errorf("runs at %v, next %q; want low, ready", info.Priority, info.Next)
	}
}

func TestWithoutTimedThereAreNoTimes(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.clock.Step(time.Hour)
	r.Add("a")
	if info, _ := r.Find("a"); !info.Since.IsZero() {
		t.Errorf("ready since %v, want no time", info.Since)
	}
	item := r.take("a")
	if !item.ReadyAt.IsZero() || !item.TakenAt.IsZero() {
		t.Errorf("became ready at %v and was taken at %v, want no times", item.ReadyAt, item.TakenAt)
	}
	if info, _ := r.Find("a"); !info.Since.IsZero() {
		t.Errorf("running since %v, want no time", info.Since)
	}
	r.Finish(item, queue.Park(errBroken))
	if info, _ := r.Find("a"); !info.Since.Equal(r.clock.Now()) {
		t.Errorf("parked since %v, want the time: it is always kept", info.Since)
	}
	r.AddAfter("b", time.Hour)
	if info, _ := r.Find("b"); !info.Due.Equal(r.clock.Now().Add(time.Hour)) || !info.Since.IsZero() {
		t.Errorf("due at %v, since %v", info.Due, info.Since)
	}
}

func TestTriggersTurnTimesOn(t *testing.T) {
	r := newRig(t, queue.Config[string]{Triggers: 1})
	r.Add("a")
	ready := r.clock.Now()
	r.clock.Step(time.Second)
	if item := r.take("a"); !item.ReadyAt.Equal(ready) || !item.TakenAt.Equal(ready.Add(time.Second)) {
		t.Errorf("became ready at %v and was taken at %v, want %v and a second later", item.ReadyAt, item.TakenAt, ready)
	}
}

func TestStatus(t *testing.T) {
	r := newBusyRig(t)
	r.AddAfter("running 2", 3*time.Hour) // counts for both
	got := r.Status()
	want := queue.Status{
		Ready: 2, Delayed: 3, Running: 2, Parked: 2,
		Classes: [...]queue.ClassStatus{
			{Priority: queue.Background},
			{Priority: queue.Low, Ready: 1},
			{Priority: queue.Normal, Ready: 1, Delayed: 3, Running: 2, Parked: 2},
			{Priority: queue.High},
			{Priority: queue.Urgent},
		},
		OldestReady:    time.Minute,
		LongestRunning: time.Minute + time.Second,
		Unfinished:     2*time.Minute + time.Second,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestOldestReadyIsOfAllClassesAndTenants(t *testing.T) {
	r := newRig(t, queue.Config[string]{Timed: true, Tenant: namespace})
	for _, add := range []struct {
		key      string
		priority queue.Priority
	}{{"a/1", queue.High}, {"b/1", queue.Low}, {"a/2", queue.Low}, {"c/1", queue.Urgent}} {
		r.AddWith(add.key, at(add.priority))
		r.clock.Step(time.Second)
	}
	for _, want := range []time.Duration{4 * time.Second, 4 * time.Second, 3 * time.Second} { // without c/1, then a/1
		if got := r.Status().OldestReady; got != want {
			t.Errorf("the oldest is ready for %v, want %v", got, want)
		}
		if _, err := r.Take(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStatsOfAnEmptyQueue(t *testing.T) {
	r := newBusyRig(t)
	take(t, r.Queue)
	for _, key := range []string{"running 1", "running 2", "ready 1", "ready 2"} {
		r.Done(key)
	}
	r.Cancel("delayed 1")
	r.Cancel("delayed 2")
	r.DropAll()
	want := queue.Status{}
	for i := range want.Classes {
		want.Classes[i].Priority = queue.Background + queue.Priority(i)
	}
	if got := r.Status(); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// A key that moves is counted where it went, and not where it was.
func TestClassesAreCountedByWhereTheKeysAre(t *testing.T) {
	places := map[string]struct {
		put   func(r rig)
		count func(s queue.ClassStatus) int
	}{
		"ready":   {func(r rig) { r.Add("a") }, func(s queue.ClassStatus) int { return s.Ready }},
		"delayed": {func(r rig) { r.AddAfter("a", time.Hour) }, func(s queue.ClassStatus) int { return s.Delayed }},
		"back-off": {func(r rig) {
			r.Add("a")
			r.finish("a", queue.Retry(nil))
		}, func(s queue.ClassStatus) int { return s.Delayed }},
		"parked": {func(r rig) { r.park("a") }, func(s queue.ClassStatus) int { return s.Parked }},
	}
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{})
			place.put(r)
			r.AddWith("a", queue.AddOptions{Priority: queue.Urgent, Delay: 2 * time.Hour})
			var counts []int
			for _, class := range r.Status().Classes {
				counts = append(counts, place.count(class))
			}
			if want := []int{0, 0, 0, 0, 1}; !slices.Equal(counts, want) {
				t.Errorf("the classes have %v, want %v", counts, want)
			}
		})
	}
}

func TestWaitString(t *testing.T) {
	for wait, want := range map[queue.Wait]string{
		queue.WaitDelay: "delay", queue.WaitBackOff: "back-off", queue.WaitQuiet: "quiet", 7: "Wait(7)",
	} {
		if got := wait.String(); got != want {
			t.Errorf("%d is %q, want %q", wait, got, want)
		}
	}
}

func TestWhyWithoutTimesNamesACentury(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Add("a")
	ready, _ := r.Find("a")
	r.take("a")
	running, _ := r.Find("a")
	for _, info := range []queue.KeyInfo[string]{ready, running} {
		if why := info.Why(); strings.Contains(why, "2562047h") {
			t.Errorf("why: %s", why)
		}
	}
}

func TestStatsWithoutTimesMeasureFromTheStart(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.clock.Step(time.Hour)
	r.Add("running")
	r.take("running")
	r.Add("ready")
	if s := r.Status(); s.OldestReady != 0 || s.LongestRunning != 0 || s.Unfinished != 0 {
		t.Errorf("ready for %v, running for %v, all for %v; no time has passed and none are kept",
			s.OldestReady, s.LongestRunning, s.Unfinished)
	}
}
