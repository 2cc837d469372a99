package cache

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// protocol decides the next request to the API server from the outcome of the last. It does no I/O and knows no clock.
//
//	outcome       next request
//	listed        watch from the list's version
//	listFailed    the same list, after a wait
//	listExpired   list the most recent version: the one asked for is not there
//	pageExpired   the same list in one piece: pages of two lists are never mixed
//	watchClosed   watch from the last version seen; at once if the watch made progress
//	watchFailed   watch from the last version seen, after a wait
//	watchExpired  list at a version not older than the last seen: a watch from there is refused
//	watchAhead    list the most recent version: the server has not reached the one asked for
//
// Unless a wait is said, the first outcome of its kind is answered at once and only further ones wait. Waits grow with
// the number of outcomes in a row without progress. Only a watch that makes progress ends the row, so that a server that
// answers lists but refuses watches is not listed in a loop.
type protocol struct {
	resourceVersion string // the last version seen; empty for the most recent
	unpaged         bool   // the next list must not be cut into pages
	failures        int    // outcomes in a row without progress
}

// A request is what to ask next.
type request struct {
	watch           bool // else list
	resourceVersion string
	unpaged         bool
	backoff         int           // number of the wait before the request, 0 for none
	retryAfter      time.Duration // the wait the server asked for, if it is longer
}

type outcomeKind int

const (
	listed outcomeKind = iota
	listFailed
	listExpired
	pageExpired
	watchClosed
	watchFailed
	watchExpired
	watchAhead
)

// An outcome is how a request ended.
type outcome struct {
	kind            outcomeKind
	resourceVersion string // listed: of the list; of a watch: the last seen, empty if none
	progress        bool   // the watch brought anything or lasted long
	err             error
}

// first returns the request to begin with.
func (p *protocol) first() request { return p.list(0) }

// next returns the request that follows an outcome.
func (p *protocol) next(o outcome) request {
	if o.resourceVersion != "" {
		p.resourceVersion = o.resourceVersion
	}
	if o.progress {
		p.failures = 0
	}
	r := p.after(o)
	r.retryAfter = retryAfter(o.err)
	return r
}

func (p *protocol) after(o outcome) request {
	switch o.kind {
	case listed:
		p.unpaged = false
		return p.watch(0)
	case listExpired, watchAhead:
		p.resourceVersion = ""
		return p.list(p.fail() - 1)
	case pageExpired:
		p.unpaged = true
		return p.list(p.fail() - 1)
	case watchExpired:
		return p.list(p.fail() - 1)
	case watchClosed:
		return p.rewatch(o.progress)
	case watchFailed:
		return p.watch(p.fail())
	default: // listFailed
		return p.list(p.fail())
	}
}

func (p *protocol) list(backoff int) request {
	return request{resourceVersion: p.resourceVersion, unpaged: p.unpaged, backoff: backoff}
}

func (p *protocol) watch(backoff int) request {
	return request{watch: true, resourceVersion: p.resourceVersion, backoff: backoff}
}

// rewatch goes on after a clean end: at once, unless watches end again and again without having brought anything.
func (p *protocol) rewatch(progress bool) request {
	if progress {
		return p.watch(0)
	}
	return p.watch(p.fail() - 1)
}

// fail counts an outcome without progress and returns how many there were in a row.
func (p *protocol) fail() int {
	p.failures++
	return p.failures
}

// listOutcome classifies the error of a list request; continued says that it asked for a further page.
func listOutcome(err error, continued bool) outcome {
	kind := listFailed
	switch {
	case continued && isExpired(err):
		kind = pageExpired
	case isExpired(err), isAhead(err):
		kind = listExpired
	}
	return outcome{kind: kind, err: err}
}

// watchOutcome classifies how a watch ended; a nil error is a clean end.
func watchOutcome(err error) outcome {
	kind := watchFailed
	switch {
	case err == nil:
		kind = watchClosed
	case isExpired(err), isRefused(err):
		kind = watchExpired
	case isAhead(err):
		kind = watchAhead
	}
	return outcome{kind: kind, err: err}
}

// isExpired says that the server no longer has the resource version: 410 Gone, as reason Expired or Gone.
func isExpired(err error) bool {
	return apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
}

// isRefused says that the request as it is will never do, so that repeating it is of no use.
func isRefused(err error) bool { return apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) }

// isAhead says that the server does not have the resource version yet: 504 with a cause of its own.
func isAhead(err error) bool {
	return apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge)
}

// retryAfter returns how long the server asks to wait, or 0.
func retryAfter(err error) time.Duration {
	seconds, _ := apierrors.SuggestsClientDelay(err)
	return time.Duration(seconds) * time.Second
}
