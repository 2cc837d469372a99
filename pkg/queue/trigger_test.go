package queue_test

import (
	"slices"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func because(cause string) queue.AddOptions {
	return queue.AddOptions{Trigger: queue.Trigger{Cause: cause}}
}

// causes returns what is kept of the causes, the first first.
func causes(triggers *queue.Triggers) []string {
	if triggers == nil {
		return nil
	}
	all := []string{triggers.First.Cause}
	for _, trigger := range triggers.Last {
		all = append(all, trigger.Cause)
	}
	return all
}

func wantCauses(t *testing.T, triggers *queue.Triggers, count int, want ...string) {
	t.Helper()
	if got := causes(triggers); !slices.Equal(got, want) {
		t.Errorf("causes are %q, want %q", got, want)
	}
	if triggers != nil && triggers.Count != count {
		t.Errorf("%d causes in all, want %d", triggers.Count, count)
	}
}

func TestTheFirstAndTheLastTriggersAreKept(t *testing.T) {
	tests := map[string]struct {
		keep   int
		events []string
		want   []string
		text   string
	}{
		"one":              {2, []string{"a"}, []string{"a"}, "a"},
		"all":              {2, []string{"a", "b", "c"}, []string{"a", "b", "c"}, "a, b, c (3 in all)"},
		"one is left out":  {2, []string{"a", "b", "c", "d"}, []string{"a", "c", "d"}, "a, …, c, d (4 in all)"},
		"many are":         {1, []string{"a", "b", "c", "d", "e"}, []string{"a", "e"}, "a, …, e (5 in all)"},
		"more room":        {9, []string{"a", "b"}, []string{"a", "b"}, "a, b (2 in all)"},
		"the same is kept": {3, []string{"a", "a"}, []string{"a", "a"}, "a, a (2 in all)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{Triggers: test.keep})
			for _, cause := range test.events {
				r.AddWith("k", because(cause))
			}
			triggers := r.take("k").Triggers
			wantCauses(t, triggers, len(test.events), test.want...)
			if got := triggers.String(); got != test.text {
				t.Errorf("reads %q, want %q", got, test.text)
			}
		})
	}
}

func TestTriggerString(t *testing.T) {
	tests := map[string]queue.Trigger{
		"":                              {},
		"resync":                        {Cause: "resync"},
		"pods default/web-1 updated":    {Source: "pods", Object: "default/web-1", Cause: "updated"},
		"pods updated":                  {Source: "pods", Cause: "updated", At: time.Unix(1, 0)},
		"somebody default/web-1":        {Source: "somebody", Object: "default/web-1"},
		"default/web-1 was looked into": {Object: "default/web-1", Cause: "was looked into"},
	}
	for want, trigger := range tests {
		if got := trigger.String(); got != want {
			t.Errorf("%#v reads %q, want %q", trigger, got, want)
		}
	}
	if got := (*queue.Triggers)(nil).String(); got != "" {
		t.Errorf("no triggers read %q", got)
	}
}

func TestTheQueueFillsInWhen(t *testing.T) {
	r := newRig(t, queue.Config[string]{Triggers: 2})
	seen := r.clock.Now().Add(-time.Hour)
	r.clock.Step(time.Minute)
	r.AddWith("a", because("now"))
	r.AddWith("a", queue.AddOptions{Trigger: queue.Trigger{Cause: "before", At: seen}})
	got := r.take("a").Triggers
	if !got.First.At.Equal(r.clock.Now()) || !got.Last[0].At.Equal(seen) {
		t.Errorf("at %v and %v, want %v and %v", got.First.At, got.Last[0].At, r.clock.Now(), seen)
	}
}

func TestTriggersAreHandedToTheRunThatTheyCaused(t *testing.T) {
	r := newRig(t, queue.Config[string]{Triggers: 4})
	r.AddWith("k", because("first run"))
	first := r.take("k")
	r.AddWith("k", because("second run"))
	wantCauses(t, first.Triggers, 1, "first run") // not changed once they were handed out
	r.Finish(first, queue.Success())
	wantCauses(t, r.take("k").Triggers, 1, "second run")
	r.Done("k")
	r.AddWith("k", because("third run"))
	wantCauses(t, r.take("k").Triggers, 1, "third run") // those of a success are gone
}

func TestTriggersAreGivenBackByARunThatFails(t *testing.T) {
	r := newRig(t, queue.Config[string]{Triggers: 3})
	r.AddWith("k", because("a"))
	r.AddWith("k", because("b"))
	first := r.take("k")
	r.AddWith("k", because("c"))
	r.Finish(first, queue.Retry(errBroken))
	wantCauses(t, first.Triggers, 2, "a", "b")

	second := r.takeAfter(time.Second, "k")
	wantCauses(t, second.Triggers, 4, "a", "b", "retry", "c")
	for _, cause := range []string{"d", "e", "f", "g", "h"} {
		r.AddWith("k", because(cause))
	}
	r.Finish(second, queue.Retry(errBroken))
	third := r.takeAfter(2*time.Second, "k")
	wantCauses(t, third.Triggers, 10, "a", "f", "g", "h")
	r.Finish(third, queue.Success())
	r.AddWith("k", because("z"))
	wantCauses(t, r.take("k").Triggers, 1, "z")
}

func TestWhatTheQueueTriggersItself(t *testing.T) {
	tests := map[string]struct {
		act  func(r rig)
		want []string
	}{
		"Add":            {func(r rig) { r.Add("k") }, []string{"Add"}},
		"AddAfter":       {func(r rig) { r.AddAfter("k", time.Second) }, []string{"AddAfter"}},
		"AddRateLimited": {func(r rig) { r.AddRateLimited("k") }, []string{"retry"}},
		"Retry":          {func(r rig) { r.Add("k"); r.finish("k", queue.Retry(nil)) }, []string{"Add", "retry"}},
		"RequeueAfter":   {func(r rig) { r.Add("k"); r.finish("k", queue.RequeueAfter(time.Second)) }, []string{"requeue"}},
		"Replay": {func(r rig) {
			r.AddWith("k", because("updated"))
			r.finish("k", queue.Park(nil))
			r.Replay("k")
		}, []string{"updated", "retry", "replay"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{Triggers: 4})
			test.act(r)
			r.clock.Step(time.Minute)
			triggers := r.take("k").Triggers
			wantCauses(t, triggers, len(test.want), test.want...)
			if last := append([]queue.Trigger{triggers.First}, triggers.Last...)[len(test.want)-1]; last.Source != "queue" {
				t.Errorf("the source is %q, want the queue", last.Source)
			}
		})
	}
}

func TestTriggersThatWentAreForgotten(t *testing.T) {
	tests := map[string]func(r rig){
		"Cancel": func(r rig) {
			r.AddWith("k", queue.AddOptions{Delay: time.Second, Trigger: queue.Trigger{Cause: "old"}})
			r.Cancel("k")
		},
		"Cancel while running": func(r rig) {
			r.Add("k")
			item := r.take("k")
			r.AddWith("k", queue.AddOptions{Delay: time.Second, Trigger: queue.Trigger{Cause: "old"}})
			r.Cancel("k")
			r.AddWith("k", because("new"))
			r.Finish(item, queue.Success())
			wantCauses(r.t, r.take("k").Triggers, 1, "new")
			r.Done("k")
		},
		"Done": func(r rig) {
			r.AddWith("k", because("old"))
			r.take("k")
			r.Done("k")
		},
		"Drop": func(r rig) {
			r.AddWith("k", because("old"))
			r.finish("k", queue.Park(nil))
			r.Drop("k")
		},
	}
	for name, act := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{Triggers: 4})
			act(r)
			r.AddWith("k", because("new"))
			wantCauses(t, r.take("k").Triggers, 1, "new")
		})
	}
}

// The client-go calls take triggers too, and may be used with those of our own.
func TestGetTakesTheTriggersToo(t *testing.T) {
	r := newRig(t, queue.Config[string]{Triggers: 4})
	r.AddWith("k", because("a"))
	key, _ := r.Get()
	r.AddWith(key, because("b"))
	r.Done(key)
	wantCauses(t, r.take("k").Triggers, 1, "b")
}

func TestTriggersOfOthersCannotBeChanged(t *testing.T) {
	r := newRig(t, queue.Config[string]{Triggers: 2})
	r.AddWith("k", because("a"))
	r.AddWith("k", because("b"))
	before, _ := r.Find("k")
	r.AddWith("k", because("c"))
	r.AddWith("k", because("d"))
	wantCauses(t, before.Triggers, 2, "a", "b")
	after, _ := r.Find("k")
	wantCauses(t, after.Triggers, 4, "a", "c", "d")
	item := r.take("k")
	r.Finish(item, queue.Retry(nil))
	r.AddWith("k", because("e"))
	wantCauses(t, item.Triggers, 4, "a", "c", "d")
}

func TestTriggersAreOffByDefault(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.AddWith("k", because("a"))
	if info, _ := r.Find("k"); info.Triggers != nil {
		t.Errorf("kept: %v", info.Triggers)
	}
	item := r.take("k")
	r.Finish(item, queue.Retry(nil))
	if again := r.takeAfter(time.Second, "k"); item.Triggers != nil || again.Triggers != nil {
		t.Errorf("handed out: %v, then %v", item.Triggers, again.Triggers)
	}
}
