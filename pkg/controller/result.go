package controller

import (
	"fmt"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A Result says what happens to a key after a reconcile. The zero value is [Done].
type Result struct {
	requeue bool
	after   time.Duration
	err     error
}

// Done means that the key is as it should be: it is reconciled again when something changes.
func Done() Result { return Result{} }

// RequeueAfter means that the key is as it should be and is reconciled again after the delay, or earlier when something
// changes. A delay that is not positive means at once.
func RequeueAfter(delay time.Duration) Result { return Result{requeue: true, after: delay} }

// Retry means that the reconcile failed: the key is reconciled again after a wait that grows with each failure in a row.
// Retry of a nil error is [Done].
func Retry(err error) Result { return Result{err: err} }

// outcome says the same to the queue.
func (r Result) outcome() queue.Outcome {
	switch {
	case r.err != nil:
		return queue.Retry(r.err)
	case r.requeue:
		return queue.RequeueAfter(r.after)
	default:
		return queue.Success()
	}
}

// Err returns the error of a [Retry], else nil.
func (r Result) Err() error { return r.err }

// String describes the result for logs.
func (r Result) String() string {
	switch {
	case r.err != nil:
		return fmt.Sprintf("retry: %v", r.err)
	case r.requeue:
		return fmt.Sprintf("requeue after %v", r.after)
	default:
		return "done"
	}
}
