package queue

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Trigger says why a key was added. All fields are for people; the queue only keeps them.
type Trigger struct {
	Source string    // who added the key: an informer, a timer, a person
	Cause  string    // what happened, in a word or two: "updated", "resync"
	Object string    // what it happened to, when that is not the key itself
	At     time.Time // when; filled in by the queue when zero
}

func (t Trigger) String() string {
	words := make([]string, 0, 3)
	for _, word := range []string{t.Source, t.Object, t.Cause} {
		if word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// Triggers are the causes that were merged into one run. They are not changed once they were handed out.
type Triggers struct {
	First Trigger
	Last  []Trigger // the latest, oldest first; the first is not among them
	Count int       // of all, also of those that were left out
}

// String returns for instance "informer pods updated, …, queue retry (12 in all)". That of nil is empty.
func (t *Triggers) String() string {
	if t == nil {
		return ""
	}
	var text strings.Builder
	text.WriteString(t.First.String())
	if left := t.Count - 1 - len(t.Last); left > 0 {
		text.WriteString(", …")
	}
	for _, trigger := range t.Last {
		text.WriteString(", " + trigger.String())
	}
	if t.Count > 1 {
		fmt.Fprintf(&text, " (%d in all)", t.Count)
	}
	return text.String()
}

// add notes a trigger and keeps the first and the given number of last ones.
func (t *Triggers) add(trigger Trigger, keep int) {
	t.Count++
	switch {
	case t.Count == 1:
		t.First = trigger
	case len(t.Last) < keep:
		t.Last = append(t.Last, trigger)
	default:
		copy(t.Last, t.Last[1:])
		t.Last[keep-1] = trigger
	}
}

// clone returns a copy that is changed without changing the original. That of nil is nil.
func (t *Triggers) clone() *Triggers {
	if t == nil {
		return nil
	}
	return &Triggers{First: t.First, Last: slices.Clone(t.Last), Count: t.Count}
}

// What the queue itself triggers.
const (
	sourceQueue   = "queue"
	causeAdd      = "Add"
	causeAddAfter = "AddAfter"
	causeRetry    = "retry"
	causeRequeue  = "requeue"
	causeReplay   = "replay"
)

// note is trigger for what the queue does itself.
func (c *core[K]) note(e *entry[K], cause string, now time.Duration) {
	if c.triggers > 0 {
		c.trigger(e, Trigger{Source: sourceQueue, Cause: cause}, now)
	}
}

// trigger notes why a run of the entry is pending. It must not be called if triggers are not kept.
func (c *core[K]) trigger(e *entry[K], trigger Trigger, now time.Duration) {
	if trigger.At.IsZero() {
		trigger.At = c.start.Add(now)
	}
	x := e.more()
	if x.triggers == nil {
		x.triggers = new(Triggers)
	}
	x.triggers.add(trigger, c.triggers)
}

// giveBack puts the triggers of a run that failed before those that came meanwhile.
func (c *core[K]) giveBack(e *entry[K], consumed *Triggers, now time.Duration) {
	if c.triggers == 0 {
		return
	}
	x := e.more()
	newer := x.triggers
	x.triggers = consumed.clone()
	c.note(e, causeRetry, now)
	if newer == nil {
		return
	}
	left := newer.Count - 1 - len(newer.Last)
	x.triggers.add(newer.First, c.triggers)
	x.triggers.Count += left
	for _, trigger := range newer.Last {
		x.triggers.add(trigger, c.triggers)
	}
}
