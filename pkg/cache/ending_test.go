package cache

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/protocol"
)

var pods = schema.GroupResource{Resource: "pods"}

func tooLarge() error {
	err := apierrors.NewTimeoutError("Too large resource version: 9, current: 5", 1)
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeResourceVersionTooLarge}}
	return err
}

func TestErrorsAreEndings(t *testing.T) {
	expired := apierrors.NewResourceExpired("too old")
	tests := map[string]struct {
		err            error
		ending         protocol.Ending
		wantRetryAfter time.Duration
	}{
		"410 expired":        {expired, protocol.Expired, 0},
		"410 gone":           {apierrors.NewGenericServerResponse(http.StatusGone, "watch", pods, "", "", 0, true), protocol.Expired, 0},
		"410 wrapped":        {errors.Join(errors.New("watch"), expired), protocol.Expired, 0},
		"too large version":  {tooLarge(), protocol.TooLarge, time.Second},
		"429":                {apierrors.NewTooManyRequests("slow down", 7), protocol.Throttled, 7 * time.Second},
		"500":                {apierrors.NewInternalError(errors.New("x")), protocol.Failed, 0},
		"503":                {apierrors.NewServiceUnavailable("x"), protocol.Unavailable, 0},
		"504":                {apierrors.NewServerTimeout(pods, "list", 2), protocol.Unavailable, 2 * time.Second},
		"401":                {apierrors.NewUnauthorized("x"), protocol.Unauthorized, 0},
		"403":                {apierrors.NewForbidden(pods, "", errors.New("x")), protocol.Forbidden, 0},
		"404":                {apierrors.NewGenericServerResponse(http.StatusNotFound, "get", pods, "", "", 0, true), protocol.NotFound, 0},
		"400":                {apierrors.NewBadRequest("x"), protocol.Refused, 0},
		"422":                {apierrors.NewInvalid(schema.GroupKind{}, "", nil), protocol.Refused, 0},
		"truncated":          {io.ErrUnexpectedEOF, protocol.Truncated, 0},
		"malformed":          {fmt.Errorf("%w: x", ErrMalformed), protocol.Malformed, 0},
		"418":                {apierrors.NewGenericServerResponse(http.StatusTeapot, "get", pods, "", "", 0, true), protocol.Failed, 0},
		"connection refused": {errors.New("connect: connection refused"), protocol.Unreachable, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := failed(t.Context(), protocol.List, test.err, false)
			if got.Ending != test.ending || !errors.Is(err, test.err) {
				t.Errorf("it is %v with the error %v, want %v with its own", got.Ending, err, test.ending)
			}
			if got := retryAfter(test.err); got != test.wantRetryAfter {
				t.Errorf("retry after %v, want %v", got, test.wantRetryAfter)
			}
		})
	}
	if got, err := failed(t.Context(), protocol.List, fmt.Errorf("list: %w", io.EOF), false); got.Ending != protocol.Unreachable || err == nil {
		t.Errorf("no answer to a list is %v with the error %v", got.Ending, err)
	}
	if got, err := failed(t.Context(), protocol.Watch, fmt.Errorf("watch: %w", errClosed), false); got.Ending != protocol.Closed || err != nil {
		t.Errorf("the end of a stream is %v with the error %v, want closed without one", got.Ending, err)
	}
	if got, _ := failed(t.Context(), protocol.List, expired, true); got.Ending != protocol.PageExpired {
		t.Errorf("410 to a further page is %v", got.Ending)
	}
}

// Each way in which a request can end has a rule of its own.
func TestEveryEndingHasARule(t *testing.T) {
	rules := map[protocol.Mode]map[protocol.Ending]bool{}
	for _, rule := range protocol.Rules() {
		if rules[rule.On] == nil {
			rules[rule.On] = map[protocol.Ending]bool{}
		}
		if rules[rule.On][rule.Ending] {
			t.Errorf("there are two rules for %s %s", rule.On, rule.Ending)
		}
		rules[rule.On][rule.Ending] = true
	}
	always := []error{
		io.EOF, io.ErrUnexpectedEOF, errSilent, ErrMalformed, errors.New("connection refused"), tooLarge(), apierrors.NewTooManyRequests("x", 1),
	}
	for code := 400; code < 600; code++ {
		always = append(always, &apierrors.StatusError{ErrStatus: metav1.Status{Code: int32(code), Reason: reasonOf(code)}})
	}
	streams := append([]error{errClosed, errDiverged, ErrNewEpoch}, always...)
	for mode, errs := range map[protocol.Mode][]error{
		protocol.List: always, protocol.Probe: always, protocol.WatchList: append(slices.Clip(streams), errNoEnd),
		protocol.Watch: append(slices.Clip(streams), errWentBack),
	} {
		for _, err := range errs {
			for _, continued := range []bool{false, mode == protocol.List} {
				got, cause := failed(t.Context(), mode, fmt.Errorf("x: %w", err), continued)
				if mode == protocol.WatchList {
					got, _ = unlessUnsupported(got, cause)
				}
				if !rules[mode][got.Ending] {
					t.Errorf("there is no rule for %s %s, as after %v", mode, got.Ending, err)
				}
			}
		}
	}
}

func reasonOf(code int) metav1.StatusReason {
	return apierrors.ReasonForError(apierrors.NewGenericServerResponse(code, "get", pods, "", "", 0, true))
}
