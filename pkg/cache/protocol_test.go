package cache

import (
	"errors"
	"net/http"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var pods = schema.GroupResource{Resource: "pods"}

func tooLarge() error {
	err := apierrors.NewTimeoutError("Too large resource version: 9, current: 5", 1)
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeResourceVersionTooLarge}}
	return err
}

func TestErrorsAreOutcomes(t *testing.T) {
	expired := apierrors.NewResourceExpired("too old")
	tests := map[string]struct {
		err                     error
		onList, onPage, onWatch outcomeKind
		wantRetryAfter          time.Duration
	}{
		"410 expired":        {expired, listExpired, pageExpired, watchExpired, 0},
		"410 gone":           {apierrors.NewGenericServerResponse(http.StatusGone, "watch", pods, "", "", 0, true), listExpired, pageExpired, watchExpired, 0},
		"410 wrapped":        {errors.Join(errors.New("watch"), expired), listExpired, pageExpired, watchExpired, 0},
		"too large version":  {tooLarge(), listExpired, listExpired, watchAhead, time.Second},
		"429":                {apierrors.NewTooManyRequests("slow down", 7), listFailed, listFailed, watchFailed, 7 * time.Second},
		"500":                {apierrors.NewInternalError(errors.New("x")), listFailed, listFailed, watchFailed, 0},
		"503":                {apierrors.NewServiceUnavailable("x"), listFailed, listFailed, watchFailed, 0},
		"504":                {apierrors.NewServerTimeout(pods, "list", 2), listFailed, listFailed, watchFailed, 2 * time.Second},
		"401":                {apierrors.NewUnauthorized("x"), listFailed, listFailed, watchFailed, 0},
		"403":                {apierrors.NewForbidden(pods, "", errors.New("x")), listFailed, listFailed, watchFailed, 0},
		"404":                {apierrors.NewGenericServerResponse(http.StatusNotFound, "get", pods, "", "", 0, true), listFailed, listFailed, watchFailed, 0},
		"400":                {apierrors.NewBadRequest("x"), listFailed, listFailed, watchExpired, 0},
		"422":                {apierrors.NewInvalid(schema.GroupKind{}, "", nil), listFailed, listFailed, watchExpired, 0},
		"connection refused": {errors.New("connect: connection refused"), listFailed, listFailed, watchFailed, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := [3]outcomeKind{listOutcome(test.err, false).kind, listOutcome(test.err, true).kind, watchOutcome(test.err).kind}
			if want := [3]outcomeKind{test.onList, test.onPage, test.onWatch}; got != want {
				t.Errorf("on a list, a further page, a watch: %v, want %v", got, want)
			}
			if got := retryAfter(test.err); got != test.wantRetryAfter {
				t.Errorf("retry after %v, want %v", got, test.wantRetryAfter)
			}
		})
	}
	if got := watchOutcome(nil).kind; got != watchClosed {
		t.Errorf("a watch without an error is %v, want closed", got)
	}
}

// Each step is an outcome and the request that has to follow it.
func TestProtocol(t *testing.T) {
	list := func(version string, backoff int) request { return request{resourceVersion: version, backoff: backoff} }
	watch := func(version string, backoff int) request {
		return request{watch: true, resourceVersion: version, backoff: backoff}
	}
	whole := func(version string, backoff int) request {
		return request{resourceVersion: version, unpaged: true, backoff: backoff}
	}
	type step struct {
		outcome outcome
		want    request
	}
	at := func(version string) step {
		return step{outcome{kind: listed, resourceVersion: version}, watch(version, 0)}
	}
	progress := func(kind outcomeKind, version string) outcome {
		return outcome{kind: kind, resourceVersion: version, progress: true}
	}
	tests := map[string][]step{
		"watches end and resume at once where they were": {
			at("5"),
			{progress(watchClosed, "7"), watch("7", 0)},
			{progress(watchClosed, ""), watch("7", 0)},
		},
		"watches that end without progress wait more and more": {
			at("5"),
			{outcome{kind: watchClosed}, watch("5", 0)},
			{outcome{kind: watchClosed}, watch("5", 1)},
			{outcome{kind: watchClosed}, watch("5", 2)},
			{progress(watchClosed, "6"), watch("6", 0)},
			{outcome{kind: watchClosed}, watch("6", 0)},
		},
		"a failed watch keeps its version and lists nothing": {
			at("5"),
			{outcome{kind: watchFailed}, watch("5", 1)},
			{outcome{kind: watchFailed}, watch("5", 2)},
			{progress(watchFailed, "8"), watch("8", 1)},
		},
		"an expired watch lists at once, not older than seen": {
			at("5"),
			{progress(watchExpired, "7"), list("7", 0)},
			at("9"),
		},
		"a server whose watches always expire is not listed in a loop": {
			at("5"),
			{outcome{kind: watchExpired}, list("5", 0)},
			at("6"),
			{outcome{kind: watchExpired}, list("6", 1)},
			at("7"),
			{outcome{kind: watchExpired}, list("7", 2)},
		},
		"a list of an expired version asks for the most recent": {
			at("5"),
			{outcome{kind: watchExpired}, list("5", 0)},
			{outcome{kind: listExpired}, list("", 1)},
			at("9"),
		},
		"a version that the server has not reached": {
			at("5"),
			{outcome{kind: watchAhead}, list("", 0)},
			at("3"),
			{outcome{kind: watchAhead}, list("", 1)},
		},
		"an expired page starts again, in one piece, once": {
			{outcome{kind: pageExpired}, whole("", 0)},
			{outcome{kind: listFailed}, whole("", 2)},
			at("5"),
			{outcome{kind: watchExpired}, list("5", 2)},
		},
		"a failed list waits more and more": {
			{outcome{kind: listFailed}, list("", 1)},
			{outcome{kind: listFailed}, list("", 2)},
			{outcome{kind: listFailed}, list("", 3)},
			at("5"),
		},
		"the server's wait is passed on": {
			{outcome{kind: listFailed, err: apierrors.NewTooManyRequests("x", 7)}, request{backoff: 1, retryAfter: 7 * time.Second}},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			var p protocol
			if got := p.first(); got != list("", 0) {
				t.Fatalf("the first request is %+v", got)
			}
			for n, step := range steps {
				if got := p.next(step.outcome); got != step.want {
					t.Fatalf("step %d: after %+v the request is %+v, want %+v", n, step.outcome, got, step.want)
				}
			}
		})
	}
}
