package events

import (
	"errors"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/answer"
)

// ErrStarted is returned by [Recorder.Run] when it is called a second time.
var ErrStarted = errors.New("events: the recorder was started before; make a new one")

// classify says what an error of a request means for the write.
func classify(err error, patching bool) outcome {
	switch {
	case err == nil:
		return accepted
	case answer.IsLost(err):
		return unknown
	case apierrors.IsAlreadyExists(err):
		return exists
	}
	switch answer.CodeOf(err) { // 0 for what the client itself has refused
	case http.StatusNotFound:
		if patching {
			return missing
		}
		return rejected // the namespace is gone
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return later // a token is renewed, a conflict goes away
	default:
		return rejected
	}
}
