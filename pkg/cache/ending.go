package cache

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/protocol"
	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

// failed classifies the error with which a request ended. The error is nil if that was in order.
func failed(ctx context.Context, mode protocol.Mode, err error, continued bool) (protocol.Outcome, error) {
	if ctx.Err() != nil { // what the request says then is a consequence
		err = context.Cause(ctx)
	}
	outcome := protocol.Outcome{Mode: mode, Ending: endingOf(err), RetryAfter: retryAfter(err)}
	if continued && outcome.Ending == protocol.Expired {
		outcome.Ending = protocol.PageExpired
	}
	if outcome.Ending == protocol.Closed {
		err = nil
	}
	return outcome, err
}

// unlessUnsupported takes what a WatchList must not be answered with as a sign that the server does not know it.
func unlessUnsupported(outcome protocol.Outcome, err error) (protocol.Outcome, error) {
	if outcome.Ending == protocol.Refused || outcome.Ending == protocol.Silent || errors.Is(err, errNoEnd) {
		outcome.Ending = protocol.Unsupported
	}
	return outcome, err
}

func endingOf(err error) protocol.Ending {
	switch {
	case errors.Is(err, errSilent):
		return protocol.Silent
	case errors.Is(err, errDiverged):
		return protocol.Diverged
	case errors.Is(err, ErrNewEpoch):
		return protocol.Behind
	case errors.Is(err, errWentBack):
		return protocol.WentBack
	case errors.Is(err, errClosed):
		return protocol.Closed
	case errors.Is(err, io.ErrUnexpectedEOF):
		return protocol.Truncated
	case isMalformed(err):
		return protocol.Malformed
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return endingOfStatus(status.Status(), err)
	}
	return protocol.Unreachable
}

// isMalformed says whether what came could not be cut into objects.
func isMalformed(err error) bool {
	_, syntax := errors.AsType[*wire.SyntaxError](err)
	return syntax || errors.Is(err, wire.ErrListTooLarge) || errors.Is(err, ErrMalformed)
}

func endingOfStatus(status metav1.Status, err error) protocol.Ending {
	switch {
	case apierrors.IsResourceExpired(err), apierrors.IsGone(err):
		return protocol.Expired
	case apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge):
		return protocol.TooLarge
	case apierrors.IsTooManyRequests(err):
		return protocol.Throttled
	case apierrors.IsServerTimeout(err), apierrors.IsTimeout(err):
		return protocol.Unavailable
	}
	return endingOfCode(int(status.Code))
}

func endingOfCode(code int) protocol.Ending {
	switch code {
	case http.StatusBadRequest, http.StatusNotAcceptable, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return protocol.Refused
	case http.StatusUnauthorized:
		return protocol.Unauthorized
	case http.StatusForbidden:
		return protocol.Forbidden
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return protocol.NotFound
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return protocol.Unavailable
	default:
		return protocol.Failed
	}
}

// retryAfter returns how long the server asks to wait, or 0.
func retryAfter(err error) time.Duration {
	seconds, _ := apierrors.SuggestsClientDelay(err)
	return time.Duration(seconds) * time.Second
}
