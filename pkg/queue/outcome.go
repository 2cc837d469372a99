package queue

import "time"

// An Outcome says how a run ended, see [Queue.Finish]. The zero value is [Success].
type Outcome struct {
	kind  outcomeKind
	after time.Duration
	err   error
}

type outcomeKind uint8

const (
	succeeded outcomeKind = iota
	requeued
	failed
	failedUntil
	gaveUp
)

// Success says that the run did what it should. The key's next failure counts as the first.
func Success() Outcome { return Outcome{} }

// RequeueAfter is a [Success] after which the key runs again when the delay is over, or earlier if there is an event, at
// the priority of this run but not above [Normal]. A delay that is not positive means at once.
func RequeueAfter(delay time.Duration) Outcome { return Outcome{kind: requeued, after: max(0, delay)} }

// Retry says that the run failed: the key runs again after the wait that the rate limiter says. Events meanwhile neither
// shorten the wait nor count as failures. A key that failed more than [Config.MaxRetries] times in a row is parked. The
// error is kept for whoever inspects the queue; it may be nil.
func Retry(err error) Outcome { return Outcome{kind: failed, err: err} }

// RetryAfter is a [Retry] with a wait of its own, for instance the Retry-After of a server. A wait that is not positive
// means at once.
func RetryAfter(wait time.Duration, err error) Outcome {
	return Outcome{kind: failedUntil, after: max(0, wait), err: err}
}

// Park says that the run failed and that another is useless until somebody has looked: see [Queue.Parked]. If another run
// was asked for meanwhile, by [Queue.Add], [Queue.AddAfter] or an event that says Now, that is done instead.
func Park(err error) Outcome { return Outcome{kind: gaveUp, err: err} }
