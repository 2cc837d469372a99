package controller

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/answer"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A Class says what an error of a reconcile means for the next.
type Class uint8

// The classes of errors.
const (
	// Failure is retried with back-off. It is the class of whatever is not known to be of another.
	Failure Class = iota
	// Stale means that the reconcile acted on what is no longer so. It is retried with back-off, and is no error in the log.
	Stale
	// Refused means that the API server could not be reached or did not want to serve. It is retried with back-off, not
	// before the time that the server has named, up to [MaxRetryAfter]; and many of them slow the controller down.
	Refused
	// Terminal means that a retry is useless until something changes: the key is parked. It is taken back by an event of
	// [For] that creates, deletes or changes the object's desired state, by one of [AtOnce], by [Controller.Enqueue], by a call
	// of its queue, and after [Config.ReplayParked].
	Terminal
)

func (c Class) String() string {
	switch c {
	case Stale:
		return "stale"
	case Refused:
		return "refused"
	case Terminal:
		return "terminal"
	default:
		return "failure"
	}
}

// MaxRetryAfter bounds the wait that an API server asks for.
const MaxRetryAfter = answer.MaxRetryAfter

// Classify says what an error means, as far as its type tells; also if it is wrapped:
//
//   - Stale: 409 Conflict and AlreadyExists, and 410.
//   - Refused: 401, 429, 502, 503, 504, other statuses with a Retry-After, and connections that could not be made, were cut
//     or timed out.
//   - Terminal: 400, 405, 406, 413, 415 and 422, by which the API server calls the request itself wrong. A webhook that denies
//     a request is among them, unless it chooses another status.
//     So is the creation of something in a namespace that is being deleted.
//   - Failure: everything else, such as 403 and 404, which others may mend. So is the 429 of an eviction that a
//     PodDisruptionBudget does not allow: the server is well.
//
// Of several errors that are joined, also as apimachinery's Aggregate, one that is a Failure makes all of them one; else
// the first counts. Connections to other servers than the API server can't be told from those to it.
func Classify(err error) Class {
	if parts := partsOf(err); parts != nil {
		return classifyAll(parts)
	}
	status, answered := answer.StatusOf(err)
	switch {
	case answered:
		return classOfStatus(int(status.Code), err)
	case errors.Is(err, context.Canceled):
		return Failure
	case isUnreachable(err):
		return Refused
	default:
		return Failure
	}
}

// partsOf returns the errors that are joined in an error, or in one that it wraps. It is nil if there are none.
func partsOf(err error) []error {
	for ; err != nil; err = errors.Unwrap(err) {
		switch many := err.(type) { //nolint:errorlint // this is the walk through what is wrapped
		case interface{ Unwrap() []error }:
			return many.Unwrap()
		case utilerrors.Aggregate:
			return many.Errors()
		}
	}
	return nil
}

func classifyAll(errs []error) Class {
	class := Failure
	for n, err := range errs {
		switch next := Classify(err); {
		case next == Failure:
			return Failure
		case n == 0:
			class = next
		}
	}
	return class
}

func classOfStatus(code int, err error) Class {
	switch {
	case apierrors.HasStatusCause(err, policyv1.DisruptionBudgetCause):
		return Failure
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return Terminal
	}
	if _, asked := answer.RetryAfter(err); asked {
		return Refused
	}
	switch code {
	case http.StatusConflict, http.StatusGone:
		return Stale
	case http.StatusUnauthorized, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return Refused
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return Terminal
	default:
		return Failure
	}
}

// isUnreachable knows the errors of connections. A time-out counts if it is one of an HTTP request.
func isUnreachable(err error) bool {
	if request, ok := errors.AsType[*url.Error](err); ok && request.Timeout() {
		return true
	}
	if connection, ok := errors.AsType[*net.OpError](err); ok && connection.Op == "dial" { // also if its name is not known
		return true
	}
	return utilnet.IsHTTP2ConnectionLost(err) || utilnet.IsProbableEOF(err) || errors.Is(err, io.ErrUnexpectedEOF)
}

// A verdict is a result with the class of its error.
type verdict struct {
	Result

	class Class
}

func (c *Controller[K]) judge(run *reconcile[K], result Result, timedOut bool) verdict {
	switch result.kind {
	case retry, retryAfter:
		if timedOut { // whatever the requests said then
			return verdict{result, Failure}
		}
		return verdict{result, c.classOf(run, result.err)}
	case park:
		return verdict{result, Terminal}
	default:
		return verdict{Result: result}
	}
}

// classOf asks Config.Classify. An error at which it panics is a Failure.
func (c *Controller[K]) classOf(run *reconcile[K], err error) (class Class) {
	defer func() {
		if value := recover(); value != nil {
			class = Failure
			run.logger().Error(nil, "Classify panicked", "panic", value, "stack", string(debug.Stack()))
		}
	}()
	return c.config.Classify(err)
}

// outcome says the same to the queue.
func (v verdict) outcome() queue.Outcome {
	wait, _ := answer.RetryAfter(v.err)
	switch {
	case v.kind == requeue:
		return queue.RequeueAfter(v.after)
	case v.kind == retryAfter:
		return queue.RetryAfter(v.after, v.err)
	case v.kind == done:
		return queue.Success()
	case v.class == Terminal:
		return queue.Park(v.err)
	case wait > 0:
		return queue.RetryAfter(jittered(wait), v.err)
	default:
		return queue.Retry(v.err)
	}
}

// jittered keeps those apart that were told to wait for the same time.
func jittered(wait time.Duration) time.Duration { return wait + rand.N(wait/4+1) }
