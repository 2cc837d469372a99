package protocol

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// atOnce is how many requests may follow each other without a wait, while nothing comes and no time passes.
const atOnce = 6

// A course is what a Machine has asked for so far, and what it was answered.
type course struct {
	t         *rapid.T
	machine   Machine
	listsOnly bool // the server is known not to know WatchList
	version   int  // of the last complete list, or newer as a watch has brought
	begins    bool // all objects have come
	newest    bool // until all objects come, no version is to be named
	afresh    bool // until all objects come, none that is known counts
	rushed    int  // requests in a row without a wait
	wait      int  // the last one, since there was progress
}

// Whatever the server does, there is a cause for each relist, a version goes back only with a complete list, waits grow as
// long as nothing comes, and the server is never asked again and again without a wait.
func TestMachineKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := course{t: t}
		request := c.machine.First()
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			outcome := c.answer(request)
			request = c.machine.Next(outcome)
			c.check(request, outcome)
		}
	})
}

// answer ends a request in one of the ways for which there is a rule.
func (c *course) answer(request Request) Outcome {
	mode := request.Mode
	if mode == Refresh {
		mode = List
		if !c.listsOnly && rapid.Bool().Draw(c.t, "watch list") {
			mode = WatchList
		}
	}
	outcome := Outcome{Mode: mode}
	if mode == WatchList && rapid.Bool().Draw(c.t, "complete") {
		outcome.Mode = Watch // all objects came, and then changes
		c.list()
	}
	outcome.Ending = rapid.SampledFrom(endingsOf(outcome.Mode)).Draw(c.t, "ending")
	outcome.RetryAfter = time.Duration(rapid.IntRange(0, 1).Draw(c.t, "retry after")) * time.Second
	switch {
	case outcome.Mode == Watch:
		outcome.Progress = rapid.Bool().Draw(c.t, "progress")
		if outcome.Progress {
			c.version += rapid.IntRange(0, 5).Draw(c.t, "events")
		}
		outcome.Version = strconv.Itoa(c.version)
	case outcome.Mode == List && outcome.Ending == Complete:
		c.list()
		outcome.Version = strconv.Itoa(c.version)
	}
	c.listsOnly = c.listsOnly || outcome.Ending == Unsupported
	return outcome
}

// list brings all objects, at any version: the server may have been restored.
func (c *course) list() {
	c.version, c.begins, c.newest, c.afresh = rapid.IntRange(1, 1000).Draw(c.t, "version"), true, false, false
}

func endingsOf(mode Mode) []Ending {
	var endings []Ending
	for _, rule := range Rules() {
		if rule.On == mode {
			endings = append(endings, rule.Ending)
		}
	}
	return endings
}

func (c *course) check(request Request, outcome Outcome) {
	all := request.Mode == Refresh || request.Mode == List
	c.newest = c.newest || outcome.Ending == TooLarge && outcome.Mode != Probe || outcome.Ending == Behind || outcome.Ending == Diverged
	c.afresh = c.afresh || outcome.Ending == Behind
	switch {
	case request.Mode == WatchList:
		c.t.Fatalf("after %+v it asks for a WatchList, which is for the Reflector to choose", outcome)
	case all != (request.Cause != ""):
		c.t.Fatalf("after %+v it asks for %+v: all objects, or a cause, but not both", outcome, request)
	case request.Mode == Watch && (!c.begins || request.Version != strconv.Itoa(c.version)):
		c.t.Fatalf("after %+v it watches from %q, want %d", outcome, request.Version, c.version)
	case all && request.Version != "" && (c.newest || request.Version != strconv.Itoa(c.version)):
		c.t.Fatalf("after %+v it lists from %q, the newest: %v, seen was %d", outcome, request.Version, c.newest, c.version)
	case all && request.Afresh != c.afresh:
		c.t.Fatalf("after %+v it asks for %+v, the versions have gone back: %v", outcome, request, c.afresh)
	case request.RetryAfter != outcome.RetryAfter:
		c.t.Fatalf("the server asked for %v, the request waits for %v", outcome.RetryAfter, request.RetryAfter)
	}
	c.checkWait(request, outcome)
}

func (c *course) checkWait(request Request, outcome Outcome) {
	if outcome.Progress {
		c.wait, c.rushed = 0, 0
	}
	if request.Wait > 0 && request.Wait < c.wait {
		c.t.Fatalf("after %+v its wait is number %d, less than the one before, %d", outcome, request.Wait, c.wait)
	}
	c.wait = max(c.wait, request.Wait)
	c.rushed++
	if takesTime := outcome.Ending == Silent || outcome.Ending == Diverged; takesTime || request.Wait > 0 {
		c.rushed = 0
	}
	if c.rushed > atOnce {
		c.t.Fatalf("%d requests in a row without a wait", c.rushed)
	}
}
