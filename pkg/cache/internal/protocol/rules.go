package protocol

// A Rule says what follows when a request has ended in a way.
type Rule struct {
	ID     string // names the rule in tests and documents
	On     Mode
	Ending Ending

	Next   Mode
	Newest bool // ask for the most recent version; else for one not older than what was seen
	Whole  bool // do not cut the list into pages
	Wait   Wait
	Cause  Cause // if all objects are asked for

	// After so many of the ending in a row, without progress in between, Then is asked for instead, because of ThenCause.
	After     int
	Then      Mode
	ThenCause Cause
}

// How often in a row an ending without progress is taken for bad luck.
const (
	patience     = 3 // with what may be a passing fault of the network
	longPatience = 8 // with a server that fails: every relist is a load on it
)

// Rules returns the table.
func Rules() []Rule {
	return append(append(listRules(), watchListRules()...), append(watchRules(), probeRules()...)...)
}

func watchRules() []Rule {
	return append([]Rule{
		{ID: "watch-closed", On: Watch, Ending: Closed, Next: Watch, Wait: GrowingLater},
		{ID: "watch-truncated", On: Watch, Ending: Truncated, Next: Watch, Wait: GrowingLater},
		{ID: "watch-silent", On: Watch, Ending: Silent, Next: Probe},
		{ID: "watch-expired", On: Watch, Ending: Expired, Next: Refresh, Wait: GrowingLater, Cause: VersionExpired},
		{ID: "watch-too-large", On: Watch, Ending: TooLarge, Next: Refresh, Newest: true, Wait: GrowingLater, Cause: VersionTooLarge},
		{ID: "watch-refused", On: Watch, Ending: Refused, Next: Refresh, Wait: GrowingLater, Cause: WatchRefused},
		{ID: "watch-not-found", On: Watch, Ending: NotFound, Next: Refresh, Wait: Growing, Cause: ResourceNotFound},
		{ID: "watch-failed", On: Watch, Ending: Failed, Next: Watch, Wait: Growing, After: longPatience, Then: Refresh, ThenCause: WatchFailing},
		{ID: "watch-malformed", On: Watch, Ending: Malformed, Next: Watch, Wait: Growing, After: patience, Then: Refresh, ThenCause: WatchMalformed},
		{ID: "watch-went-back", On: Watch, Ending: WentBack, Next: Probe, Wait: Growing},
		{ID: "watch-behind", On: Watch, Ending: Behind, Next: Refresh, Newest: true, Cause: VersionsWentBack},
		{ID: "watch-diverged", On: Watch, Ending: Diverged, Next: Refresh, Newest: true, Cause: CacheDiverged},
	}, sameAgain("watch", Watch, Throttled, Unauthorized, Forbidden, Unavailable, Unreachable)...)
}

func watchListRules() []Rule {
	return append([]Rule{
		{ID: "watch-list-unsupported", On: WatchList, Ending: Unsupported, Next: List, Cause: NoWatchList},
		{ID: "watch-list-expired", On: WatchList, Ending: Expired, Next: Refresh, Newest: true, Wait: GrowingLater, Cause: VersionExpired},
		{ID: "watch-list-too-large", On: WatchList, Ending: TooLarge, Next: Refresh, Newest: true, Wait: GrowingLater, Cause: VersionTooLarge},
		{ID: "watch-list-behind", On: WatchList, Ending: Behind, Next: Refresh, Newest: true, Wait: GrowingLater, Cause: VersionsWentBack},
		{ID: "watch-list-diverged", On: WatchList, Ending: Diverged, Next: Refresh, Newest: true, Cause: CacheDiverged},
		{ID: "watch-list-closed", On: WatchList, Ending: Closed, Next: Refresh, Wait: Growing, After: patience, Then: List, ThenCause: WatchListFailing},
		{ID: "watch-list-truncated", On: WatchList, Ending: Truncated, Next: Refresh, Wait: Growing, After: patience, Then: List, ThenCause: WatchListFailing},
		{ID: "watch-list-failed", On: WatchList, Ending: Failed, Next: Refresh, Wait: Growing, After: patience, Then: List, ThenCause: WatchListFailing},
		{ID: "watch-list-malformed", On: WatchList, Ending: Malformed, Next: Refresh, Wait: Growing, After: patience, Then: List, ThenCause: WatchListFailing},
	}, sameAgain("watch-list", WatchList, Throttled, Unauthorized, Forbidden, NotFound, Unavailable, Unreachable)...)
}

func listRules() []Rule {
	return append([]Rule{
		{ID: "list-complete", On: List, Ending: Complete, Next: Watch},
		{ID: "list-behind", On: List, Ending: Behind, Next: Refresh, Newest: true, Wait: GrowingLater, Cause: VersionsWentBack},
		{ID: "list-expired", On: List, Ending: Expired, Next: List, Newest: true, Wait: GrowingLater, Cause: VersionExpired},
		{ID: "list-page-expired", On: List, Ending: PageExpired, Next: List, Whole: true, Wait: GrowingLater, Cause: PagesExpired},
		{ID: "list-too-large", On: List, Ending: TooLarge, Next: List, Newest: true, Wait: GrowingLater, Cause: VersionTooLarge},
		{ID: "list-refused", On: List, Ending: Refused, Next: List, Newest: true, Wait: Growing, Cause: ListRefused},
	}, sameAgain("list", List, Truncated, Silent, Malformed, Throttled, Unauthorized, Forbidden, NotFound, Failed, Unavailable, Unreachable)...)
}

// A probe that fails says nothing that the next watch does not say as well.
func probeRules() []Rule {
	rules := []Rule{
		{ID: "probe-complete", On: Probe, Ending: Complete, Next: Watch},
		{ID: "probe-behind", On: Probe, Ending: Behind, Next: Refresh, Newest: true, Cause: VersionsWentBack},
	}
	for _, ending := range []Ending{
		Expired, TooLarge, Truncated, Silent, Malformed, Refused, Throttled, Unauthorized, Forbidden, NotFound, Failed, Unavailable, Unreachable,
	} {
		rules = append(rules, Rule{ID: "probe-" + ending.String(), On: Probe, Ending: ending, Next: Watch, Wait: Growing})
	}
	return rules
}

// sameAgain returns the rules by which a request is repeated after a wait.
func sameAgain(prefix string, mode Mode, endings ...Ending) []Rule {
	next := mode
	if mode == WatchList {
		next = Refresh // another informer may have learned meanwhile that the server does not know it
	}
	var rules []Rule
	for _, ending := range endings {
		rules = append(rules, Rule{ID: prefix + "-" + ending.String(), On: mode, Ending: ending, Next: next, Wait: Growing, Cause: repeat})
	}
	return rules
}

// RuleFor returns the rule for an ending. One that no rule of the mode names is a failure like others.
func RuleFor(mode Mode, ending Ending) Rule {
	var failed Rule
	for _, rule := range Rules() {
		switch {
		case rule.On != mode:
		case rule.Ending == ending:
			return rule
		case rule.Ending == Failed:
			failed = rule
		}
	}
	return failed
}
