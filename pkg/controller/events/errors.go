package events

import (
	"errors"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
)

// ErrStarted is returned by [Recorder.Run] when it is called a second time.
var ErrStarted = errors.New("events: the recorder was started before; make a new one")

// classify says what an error of a request means for the write.
func classify(err error, patching bool) outcome {
	if err == nil {
		return accepted
	}
	if _, ok := errors.AsType[*rest.RequestConstructionError](err); ok {
		return rejected // by the client itself
	}
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok {
		return unknown // no answer, or none that can be read
	}
	switch code := status.ErrStatus.Code; {
	case apierrors.IsAlreadyExists(err):
		return exists
	case code == http.StatusNotFound && patching:
		return missing
	case code < 400 || code >= 500: // a proxy or etcd may have lost the answer
		return unknown
	case code == http.StatusUnauthorized, code == http.StatusRequestTimeout, code == http.StatusConflict,
		code == http.StatusTooManyRequests:
		return later // a token is renewed, a conflict goes away
	default:
		return rejected
	}
}
