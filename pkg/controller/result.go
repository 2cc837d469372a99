package controller

import (
	"fmt"
	"time"
)

// A Result says what happens to a key after a reconcile. The zero value is [Done].
type Result struct {
	kind  resultKind
	after time.Duration
	err   error
}

type resultKind uint8

const (
	done resultKind = iota
	requeue
	retry
	retryAfter
	park
)

// Done means that the key is as it should be: it is reconciled again when something changes.
func Done() Result { return Result{} }

// RequeueAfter means that the key is as it should be and is reconciled again after the delay, or earlier when something
// changes. A delay that is not positive means at once.
func RequeueAfter(delay time.Duration) Result { return Result{kind: requeue, after: delay} }

// Retry means that the reconcile failed: the key is reconciled again after a wait that grows with each failure in a row, or
// as [Config.Classify] says of the error. Retry of a nil error is [Done].
func Retry(err error) Result {
	if err == nil {
		return Done()
	}
	return Result{kind: retry, err: err}
}

// RetryAfter means that the reconcile failed and is useless until the delay is over, whatever kind of error it is. A delay
// that is not positive means at once; RetryAfter of a nil error is [RequeueAfter].
func RetryAfter(delay time.Duration, err error) Result {
	if err == nil {
		return RequeueAfter(delay)
	}
	return Result{kind: retryAfter, after: delay, err: err}
}

// Park means that another reconcile is useless until something changes: see [Terminal] for what ends it. The reason must
// not be nil. It is kept with the key, see [Controller.Queue].
func Park(reason error) Result {
	if reason == nil {
		reason = errNoReason
	}
	return Result{kind: park, err: reason}
}

// Err returns the error of a [Retry] or [RetryAfter], the reason of a [Park], else nil.
func (r Result) Err() error { return r.err }

// String describes the result for logs.
func (r Result) String() string {
	switch r.kind {
	case retry:
		return fmt.Sprintf("retry: %v", r.err)
	case retryAfter:
		return fmt.Sprintf("retry after %v: %v", r.after, r.err)
	case park:
		return fmt.Sprintf("park: %v", r.err)
	case requeue:
		return fmt.Sprintf("requeue after %v", r.after)
	default:
		return "done"
	}
}
