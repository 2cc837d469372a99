package cache

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/protocol"
)

// Every rule of the protocol is played over HTTP, byte by byte: the server brings an informer to the request in question
// and ends that in all the ways there are. Then the next request has to be the rule's.
func TestPaths(t *testing.T) {
	for _, rule := range protocol.Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			t.Parallel()
			answers := answersFor(rule.On, rule.Ending)
			if len(answers) == 0 {
				t.Errorf("nothing ends a %s so that it is %s", rule.On, rule.Ending)
			}
			for name, end := range answers {
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { playRule(t, rule, end) })
				})
			}
		})
	}
}

func playRule(t *testing.T, rule protocol.Rule, end answer) {
	t.Helper()
	script := append(prelude(rule), slices.Repeat([]answer{end}, max(1, rule.After))...)
	server := newByteServer(t, script...)
	i, stop := server.run(t, Config{})
	defer stop()
	first := len(prelude(rule)) // request that ends as the rule says
	server.request(t, first)
	switch {
	case rule.Ending == protocol.Diverged:
		i.scopes[0].reflector.Relist()
	case rule.Ending == protocol.Behind && rule.On == protocol.Watch:
		i.scopes[0].reflector.interrupt(ErrNewEpoch)
	}
	if got, want := server.request(t, first+1), nextRequest(rule, rule.Next); rule.After <= 1 && got != want {
		t.Errorf("the next request is %q, want %q", got, want)
	}
	if rule.After > 1 {
		if got, want := server.request(t, len(script)), nextRequest(rule, rule.Then); got != want {
			t.Errorf("after %d in a row the next request is %q, want %q", rule.After, got, want)
		}
	}
	wantCounted(t, rule, i.Status())
}

func wantCounted(t *testing.T, rule protocol.Rule, status Status) {
	t.Helper()
	if ending := rule.On.String() + " " + rule.Ending.String(); status.Endings[ending] < max(1, rule.After) {
		t.Errorf("%q is not as often as it happened among the endings %v", ending, status.Endings)
	}
	for _, cause := range []protocol.Cause{rule.Cause, rule.ThenCause} {
		if cause != "" && status.Relists[string(cause)] == 0 {
			t.Errorf("%q is not among the causes of relists %v", cause, status.Relists)
		}
	}
}

// nextRequest returns the request that has to follow, as the server notes it.
func nextRequest(rule protocol.Rule, next protocol.Mode) string {
	version := ""
	if rule.On == protocol.Watch && !rule.Newest { // the only ones before which a version was seen
		version = "10"
	}
	if next == protocol.Refresh && rule.On != protocol.List { // else the server does not know WatchList
		return "watch-list version=" + version
	}
	switch {
	case next == protocol.Probe:
		return "probe"
	case next == protocol.Watch:
		return "watch version=10"
	case rule.Whole:
		return "list version= limit="
	default:
		return "list version=" + version + " limit=500"
	}
}

// prelude returns the answers that bring an informer to the request that the rule is about.
func prelude(rule protocol.Rule) []answer {
	noWatchList := refusal(422, "Invalid", "")
	gone := sent("ERROR", statusJSON(410, "Expired", ""))
	a := configMapJSON("a", "5")
	switch {
	case rule.On == protocol.List && rule.Ending == protocol.Behind:
		return []answer{noWatchList, listOf("10", "", a), stream(gone)}
	case rule.On == protocol.List && rule.Ending == protocol.PageExpired:
		return []answer{noWatchList, listOf("10", "next", a)}
	case rule.On == protocol.List:
		return []answer{noWatchList}
	case rule.On == protocol.WatchList && rule.Ending == protocol.Behind:
		return []answer{stream(sent("ADDED", a), initialEventsEnd("10"), gone)}
	case rule.On == protocol.WatchList:
		return nil
	case rule.On == protocol.Probe:
		return []answer{stream(sent("ADDED", a), initialEventsEnd("10"), bookmarkJSON("7")).open()}
	default:
		return []answer{stream(sent("ADDED", a), initialEventsEnd("10"))}
	}
}

// answersFor returns the ways in which a request comes to an ending, by name.
func answersFor(mode protocol.Mode, ending protocol.Ending) map[string]answer {
	if answers := refusals(mode, ending); answers != nil {
		return answers
	}
	a, half := configMapJSON("a", "5"), `{"type":"ADDED","object":{"metadata":{"na`
	if mode == protocol.List || mode == protocol.Probe {
		half = `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"10"},"items":[{"metadata":{"na`
	}
	switch ending {
	case protocol.Complete:
		return map[string]answer{"list": listOf("10", "", a)}
	case protocol.Behind:
		switch mode {
		case protocol.Watch:
			return map[string]answer{"another namespace is": {code: 200, hold: true}}
		case protocol.WatchList:
			return map[string]answer{"initial events": stream(sent("ADDED", a), initialEventsEnd("6"))}
		}
		return map[string]answer{"list": listOf("6", "", a)}
	case protocol.Closed:
		return map[string]answer{"at once": stream(), "after an event": stream(sent("ADDED", configMapJSON("b", "10")))}
	case protocol.Truncated:
		return map[string]answer{"half an object": {code: 200, body: half, cut: true}}
	case protocol.Silent:
		return map[string]answer{"nothing": {code: 200, hold: true}, "half an object": {code: 200, body: half, hold: true}, "no header": {hold: true}}
	case protocol.Unreachable:
		return map[string]answer{"hangs up": {cut: true}}
	case protocol.Malformed:
		return map[string]answer{"something else": answer{code: 200, body: "Hello, this is your proxy.\n"}.open()}
	case protocol.WentBack:
		return map[string]answer{"bookmark": stream(bookmarkJSON("7")).open()}
	case protocol.Diverged:
		return map[string]answer{"by call": {code: 200, hold: true}}
	}
	return nil
}

// refusals returns the API statuses that mean an ending, as that of the answer and as an event.
func refusals(mode protocol.Mode, ending protocol.Ending) map[string]answer {
	type status struct {
		code          int
		reason, cause string
	}
	statuses := map[protocol.Ending][]status{
		protocol.Expired:      {{410, "Expired", ""}, {410, "Gone", ""}},
		protocol.PageExpired:  {{410, "Expired", ""}},
		protocol.TooLarge:     {{504, "Timeout", "ResourceVersionTooLarge"}},
		protocol.Refused:      {{400, "BadRequest", ""}, {422, "Invalid", ""}, {406, "NotAcceptable", ""}},
		protocol.Unsupported:  {{400, "BadRequest", ""}, {422, "Invalid", ""}},
		protocol.Throttled:    {{429, "TooManyRequests", ""}},
		protocol.Unauthorized: {{401, "Unauthorized", ""}},
		protocol.Forbidden:    {{403, "Forbidden", ""}},
		protocol.NotFound:     {{404, "NotFound", ""}, {405, "MethodNotAllowed", ""}},
		protocol.Failed:       {{500, "InternalError", ""}, {418, "", ""}},
		protocol.Unavailable:  {{503, "ServiceUnavailable", ""}, {502, "", ""}, {504, "Timeout", ""}},
	}[ending]
	if statuses == nil {
		return nil
	}
	answers := make(map[string]answer)
	for _, s := range statuses {
		answers[s.reason+" as status"] = refusal(s.code, s.reason, s.cause)
		if mode == protocol.Watch || mode == protocol.WatchList {
			answers[s.reason+" as event"] = stream(sent("ERROR", statusJSON(s.code, s.reason, s.cause)))
		}
	}
	switch ending {
	case protocol.Throttled:
		patient := refusal(429, "TooManyRequests", "")
		patient.retryAfter = "3600" // more than the limit, so that it does not matter
		answers["for an hour"] = patient
	case protocol.NotFound:
		answers["as text"] = answer{code: 404, body: "404 page not found\n"} // as of a resource that is gone
	case protocol.Unsupported:
		some := sent("ADDED", configMapJSON("a", "5"))
		answers["a bookmark before the end"] = stream(some, bookmarkJSON("10")).open()
		answers["no end"] = stream(some).open()
		answers["nothing"] = answer{code: 200, hold: true}
	}
	return answers
}
