// Package answer reads what the API server has said out of an error: whether it has said anything at all, with which code, and
// how long it asks to wait.
package answer

import (
	"errors"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// MaxRetryAfter bounds what [RetryAfter] returns.
const MaxRetryAfter = 2 * time.Minute

// StatusOf returns the status by which the API server has answered, or false if the error is no answer.
func StatusOf(err error) (metav1.Status, bool) {
	if err == nil {
		return metav1.Status{}, false // without an allocation
	}
	var answered apierrors.APIStatus
	if !errors.As(err, &answered) {
		return metav1.Status{}, false
	}
	return answered.Status(), true
}

// Is says whether the error is an answer of the API server.
func Is(err error) bool {
	_, ok := StatusOf(err)
	return ok
}

// CodeOf returns the HTTP status of the answer, or 0 if there is none.
func CodeOf(err error) int {
	status, _ := StatusOf(err)
	return int(status.Code)
}

// RetryAfter returns how long the API server asks to wait, [MaxRetryAfter] at most, and whether it asks at all.
func RetryAfter(err error) (wait time.Duration, asked bool) {
	if err == nil {
		return 0, false // without an allocation
	}
	seconds, asked := apierrors.SuggestsClientDelay(err)
	return min(time.Duration(seconds)*time.Second, MaxRetryAfter), asked
}

// IsLost says whether the API server may have done what the request asked for, although it has failed: there is no answer, or
// one that can't be read, or one of a proxy or an API server that has lost it itself.
func IsLost(err error) bool {
	if err == nil {
		return false
	}
	if _, ok := errors.AsType[*rest.RequestConstructionError](err); ok {
		return false // it was never sent
	}
	code := CodeOf(err)
	return code < http.StatusBadRequest || code >= http.StatusInternalServerError
}
