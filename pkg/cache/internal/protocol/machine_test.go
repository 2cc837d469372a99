package protocol

import (
	"testing"
	"time"
)

// Each step is an outcome and the request that has to follow it.
func TestMachine(t *testing.T) {
	refresh := func(version string, wait int, cause Cause) Request {
		return Request{Mode: Refresh, Version: version, Wait: wait, Cause: cause}
	}
	list := func(version string, wait int, cause Cause) Request {
		return Request{Mode: List, Version: version, Wait: wait, Cause: cause}
	}
	whole := func(version string, wait int) Request {
		return Request{Mode: List, Version: version, Whole: true, Wait: wait, Cause: PagesExpired}
	}
	watch := func(version string, wait int) Request { return Request{Mode: Watch, Version: version, Wait: wait} }
	probe := Request{Mode: Probe}
	again := func(r Request) Request {
		r.Again = true
		return r
	}
	afresh := func(r Request) Request {
		r.Afresh = true
		return r
	}
	type step struct {
		outcome Outcome
		want    Request
	}
	at := func(version string) step {
		return step{Outcome{Mode: List, Ending: Complete, Version: version}, watch(version, 0)}
	}
	progress := func(ending Ending, version string) Outcome {
		return Outcome{Mode: Watch, Ending: ending, Version: version, Progress: true}
	}
	ended := func(mode Mode, ending Ending) Outcome { return Outcome{Mode: mode, Ending: ending} }
	tests := map[string][]step{
		"watches end and resume at once where they were": {
			at("5"),
			{progress(Closed, "7"), watch("7", 0)},
			{progress(Closed, ""), watch("7", 0)},
		},
		"watches that end without progress wait more and more": {
			at("5"),
			{ended(Watch, Closed), watch("5", 0)},
			{ended(Watch, Closed), watch("5", 1)},
			{ended(Watch, Closed), watch("5", 2)},
			{progress(Closed, "6"), watch("6", 0)},
			{ended(Watch, Closed), watch("6", 0)},
		},
		"a failed watch keeps its version and lists nothing": {
			at("5"),
			{ended(Watch, Unavailable), watch("5", 1)},
			{ended(Watch, Unavailable), watch("5", 2)},
			{progress(Unavailable, "8"), watch("8", 1)},
		},
		"an expired watch lists at once, not older than seen": {
			at("5"),
			{progress(Expired, "7"), refresh("7", 0, VersionExpired)},
			at("9"),
		},
		"a server whose watches always expire is not listed in a loop": {
			at("5"),
			{ended(Watch, Expired), refresh("5", 0, VersionExpired)},
			at("6"),
			{ended(Watch, Expired), refresh("6", 1, VersionExpired)},
			at("7"),
			{ended(Watch, Expired), refresh("7", 2, VersionExpired)},
		},
		"a list of an expired version asks for the most recent": {
			at("5"),
			{ended(Watch, Expired), refresh("5", 0, VersionExpired)},
			{ended(List, Expired), list("", 1, VersionExpired)},
			at("9"),
		},
		"a version that the server has not reached": {
			at("5"),
			{ended(Watch, TooLarge), refresh("", 0, VersionTooLarge)},
			at("3"),
			{ended(Watch, TooLarge), refresh("", 1, VersionTooLarge)},
		},
		"an expired page starts again, in one piece, once": {
			{ended(List, PageExpired), whole("", 0)},
			{ended(List, Unavailable), again(whole("", 2))},
			at("5"),
			{ended(Watch, Expired), refresh("5", 2, VersionExpired)},
		},
		"a failed list waits more and more": {
			{ended(List, Unavailable), again(list("", 1, Start))},
			{ended(List, Unavailable), again(list("", 2, Start))},
			{ended(List, Unavailable), again(list("", 3, Start))},
			at("5"),
		},
		"the server's wait is passed on": {
			{Outcome{Mode: List, Ending: Throttled, RetryAfter: 7 * time.Second}, Request{Mode: List, Cause: Start, Again: true, Wait: 1, RetryAfter: 7 * time.Second}},
		},
		"a server that does not know WatchList is listed": {
			{ended(WatchList, Unsupported), list("", 0, NoWatchList)},
			at("5"),
		},
		"a stream of initial events that breaks off is asked for again, and then no more": {
			{ended(WatchList, Truncated), again(refresh("", 1, Start))},
			{ended(WatchList, Truncated), again(refresh("", 2, Start))},
			{ended(WatchList, Truncated), list("", 3, WatchListFailing)},
			at("5"),
		},
		"silence is followed by a look at the version": { // a watch from a version that the server has lost is silent
			at("5"),
			{ended(Watch, Silent), probe},
			{ended(Probe, Complete), watch("5", 0)},
			{progress(Silent, "6"), probe},
			{ended(Probe, Behind), afresh(refresh("", 0, VersionsWentBack))},
			{ended(List, Behind), afresh(refresh("", 0, VersionsWentBack))},
			at("3"),
		},
		"that versions have gone back is kept in mind until all objects have come": {
			at("5"),
			{ended(Watch, Behind), afresh(refresh("", 0, VersionsWentBack))},
			{ended(WatchList, Unsupported), afresh(list("", 0, NoWatchList))},
			{ended(List, PageExpired), afresh(whole("", 0))},
			at("7"),
			{ended(Watch, Expired), refresh("7", 1, VersionExpired)},
		},
		"a bookmark that goes back is looked into": {
			at("5"),
			{progress(WentBack, "6"), Request{Mode: Probe, Wait: 1}},
			{ended(Probe, Complete), watch("6", 0)},
			{ended(Watch, WentBack), Request{Mode: Probe, Wait: 2}}, // another server answers than streams
		},
		"a probe that fails tells nothing": {
			at("5"),
			{ended(Watch, WentBack), Request{Mode: Probe, Wait: 1}},
			{ended(Probe, Unreachable), watch("5", 2)},
		},
		"500 for good, after long, is a reason for a list": {
			at("5"),
			{ended(Watch, Failed), watch("5", 1)},
			{ended(Watch, Failed), watch("5", 2)},
			{ended(Watch, Failed), watch("5", 3)},
			{ended(Watch, Failed), watch("5", 4)},
			{ended(Watch, Failed), watch("5", 5)},
			{ended(Watch, Failed), watch("5", 6)},
			{ended(Watch, Failed), watch("5", 7)},
			{ended(Watch, Failed), refresh("5", 8, WatchFailing)},
		},
		"an audit": {
			at("5"),
			{progress(Diverged, "7"), refresh("", 0, CacheDiverged)},
			{ended(WatchList, Unavailable), again(refresh("", 1, CacheDiverged))},
			at("8"),
			{ended(Watch, Expired), refresh("8", 1, VersionExpired)},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			var m Machine
			if got := m.First(); got != refresh("", 0, Start) {
				t.Fatalf("the first request is %+v", got)
			}
			for n, step := range steps {
				if got := m.Next(step.outcome); got != step.want {
					t.Fatalf("step %d: after %+v the request is %+v, want %+v", n, step.outcome, got, step.want)
				}
			}
		})
	}
}
