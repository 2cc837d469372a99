package protocol

// A Mode is what a request asks for.
type Mode uint8

// The modes.
const (
	Refresh   Mode = iota + 1 // all objects: WatchList, or List where the server does not know that
	WatchList                 // all objects and then changes, in one stream
	List                      // all objects
	Watch                     // the changes since a version
	Probe                     // one object, to learn the server's most recent version
)

func (m Mode) String() string {
	return [...]string{"none", "refresh", "watch-list", "list", "watch", "probe"}[m]
}

// An Ending is how a request ended.
type Ending uint8

// The endings; [Ending.Meaning] explains them.
const (
	Complete Ending = iota + 1
	Behind
	Closed
	Truncated
	Silent
	Expired
	PageExpired
	TooLarge
	Unsupported
	Refused
	Throttled
	Unauthorized
	Forbidden
	NotFound
	Failed
	Unavailable
	Unreachable
	Malformed
	WentBack
	Diverged
)

func (e Ending) String() string { return e.words()[0] }

// Meaning says what ended the request.
func (e Ending) Meaning() string { return e.words()[1] }

func (e Ending) words() [2]string {
	return [...][2]string{
		{"none", "nothing"},
		Complete:     {"complete", "all of it came"},
		Behind:       {"behind", "its version, or that of another namespace, is older than what was seen"},
		Closed:       {"closed", "the server closed the stream"},
		Truncated:    {"truncated", "the stream or body broke off"},
		Silent:       {"silent", "no event, no bookmark, no item for too long"},
		Expired:      {"expired", "410, version gone"},
		PageExpired:  {"page-expired", "410 to a further page"},
		TooLarge:     {"too-large", "504, the server has not reached the version"},
		Unsupported:  {"unsupported", "400 or 422, or the initial events do not end"},
		Refused:      {"refused", "400, 406, 413, 415 or 422"},
		Throttled:    {"throttled", "429"},
		Unauthorized: {"unauthorized", "401"},
		Forbidden:    {"forbidden", "403"},
		NotFound:     {"not-found", "404 or 405, no such resource"},
		Failed:       {"failed", "500, or a status of no other row"},
		Unavailable:  {"unavailable", "502, 503 or 504"},
		Unreachable:  {"unreachable", "no answer: connection refused, reset, time-out"},
		Malformed:    {"malformed", "what came can't be cut into objects, is too large, or a list of another kind"},
		WentBack:     {"went-back", "a bookmark was older than what was seen"},
		Diverged:     {"diverged", "an audit found the cache wrong"},
	}[e]
}

// A Cause is why all objects are asked for again.
type Cause string

// The causes.
const (
	Start            Cause = "start"
	VersionExpired   Cause = "version expired"
	VersionTooLarge  Cause = "version too large"
	VersionsWentBack Cause = "versions went back"
	PagesExpired     Cause = "page expired"
	NoWatchList      Cause = "no WatchList"
	WatchListFailing Cause = "WatchList keeps failing"
	WatchRefused     Cause = "watch refused"
	WatchFailing     Cause = "watch keeps failing"
	WatchMalformed   Cause = "watch keeps being malformed"
	ResourceNotFound Cause = "resource not found"
	CacheDiverged    Cause = "audit found a divergence"
	ListRefused      Cause = "list refused"
	repeat           Cause = "" // the same list again, for the same cause
)

// A Wait is how long to wait before a request.
type Wait uint8

// The waits.
const (
	AtOnce       Wait = iota
	Growing           // longer with each ending in a row without progress
	GrowingLater      // at once the first time
)

func (w Wait) String() string { return [...]string{"no", "growing", "growing, none the first time"}[w] }
