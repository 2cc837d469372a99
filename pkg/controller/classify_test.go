package controller_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// status returns an error as the API server answers it.
func status(code int32, reason metav1.StatusReason, retryAfter int32) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: code, Reason: reason, Details: &metav1.StatusDetails{RetryAfterSeconds: retryAfter},
	}}
}

func TestClassify(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	request := func(err error) error { return &url.Error{Op: "Get", URL: "https://x", Err: err} }
	conflict := apierrors.NewConflict(pods, "a", errors.New("changed"))
	refused := status(503, metav1.StatusReasonServiceUnavailable, 0)
	tests := map[string]struct {
		err  error
		want controller.Class
	}{
		"of the controller":       {errors.New("a bug"), controller.Failure},
		"not found":               {apierrors.NewNotFound(pods, "a"), controller.Failure},
		"forbidden":               {apierrors.NewForbidden(pods, "a", errors.New("no")), controller.Failure},
		"internal":                {apierrors.NewInternalError(errors.New("webhook")), controller.Failure},
		"conflict":                {conflict, controller.Stale},
		"wrapped":                 {fmt.Errorf("update: %w", conflict), controller.Stale},
		"already exists":          {apierrors.NewAlreadyExists(pods, "a"), controller.Stale},
		"unauthorized":            {apierrors.NewUnauthorized("token"), controller.Refused},
		"too many requests":       {apierrors.NewTooManyRequestsError("slow"), controller.Refused},
		"unavailable":             {refused, controller.Refused},
		"server timeout":          {apierrors.NewServerTimeout(pods, "get", 3), controller.Refused},
		"internal, but come back": {status(500, metav1.StatusReasonInternalError, 3), controller.Refused},
		"connection refused":      {request(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), controller.Refused},
		"connection reset":        {request(syscall.ECONNRESET), controller.Refused},
		"cut":                     {request(io.ErrUnexpectedEOF), controller.Refused},
		"request timed out":       {request(context.DeadlineExceeded), controller.Refused},
		"own deadline":            {context.DeadlineExceeded, controller.Failure},
		"cancelled":               {request(context.Canceled), controller.Failure},
		"invalid":                 {apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "a", nil), controller.Terminal},
		"bad request":             {apierrors.NewBadRequest("no"), controller.Terminal},
		"too large":               {apierrors.NewRequestEntityTooLargeError("no"), controller.Terminal},
		"joined, all stale":       {errors.Join(conflict, conflict), controller.Stale},
		"joined, one a failure":   {errors.Join(conflict, errors.New("a bug")), controller.Failure},
		"joined, refused first":   {errors.Join(refused, conflict), controller.Refused},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := controller.Classify(test.err); got != test.want {
				t.Errorf("%v is %v, want %v", test.err, got, test.want)
			}
		})
	}
}

// runsOf reconciles a key with a result that is always the same and returns when it ran within the time, after the start.
func runsOf(t *testing.T, config controller.Config[string], result controller.Result, within time.Duration) (runs []time.Duration, status controller.Status) {
	t.Helper()
	begin := time.Now()
	config.Queue.RateLimiter = queue.Exponential[string](queue.ExponentialConfig{Base: time.Second, Max: time.Hour})
	config.Reconcile = func(context.Context, string) controller.Result {
		runs = append(runs, time.Since(begin))
		return result
	}
	c, stop := start(t, config)
	c.Enqueue("a")
	time.Sleep(within)
	synctest.Wait()
	status = c.Status()
	stop()
	return runs, status
}

func TestWhatFollowsAClass(t *testing.T) {
	second := time.Second
	tests := map[string]struct {
		result   controller.Result
		from, to time.Duration // the second run
		parked   int
	}{
		"failure":             {controller.Retry(errors.New("a bug")), second, second, 0},
		"stale":               {controller.Retry(status(409, metav1.StatusReasonConflict, 0)), second, second, 0},
		"refused":             {controller.Retry(status(503, "", 0)), second, second, 0},
		"refused for a time":  {controller.Retry(status(429, "", 8)), 8 * second, 10 * second, 0},
		"refused for an hour": {controller.Retry(status(429, "", 3600)), controller.MaxRetryAfter, controller.MaxRetryAfter * 5 / 4, 0},
		"terminal":            {controller.Retry(status(422, "", 0)), 30 * time.Minute, 33 * time.Minute, 1},
		"park":                {controller.Park(errors.New("hopeless")), 30 * time.Minute, 33 * time.Minute, 1},
		"park without reason": {controller.Park(nil), 30 * time.Minute, 33 * time.Minute, 1},
		"retry after":         {controller.RetryAfter(7*second, errors.New("not yet")), 7 * second, 7 * second, 0},
		"retry after, class":  {controller.RetryAfter(7*second, status(422, "", 0)), 7 * second, 7 * second, 0},
		"retry after nothing": {controller.RetryAfter(7*second, nil), 7 * second, 7 * second, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runs, seen := runsOf(t, controller.Config[string]{}, test.result, test.to+second/2)
				if len(runs) < 2 || runs[1] < test.from || runs[1] > test.to {
					t.Errorf("ran at %v, want the second time between %v and %v", runs, test.from, test.to)
				}
				if seen.Parked != test.parked {
					t.Errorf("%d keys are parked, want %d", seen.Parked, test.parked)
				}
			})
		})
	}
}

func TestParkedKeysStayIfTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs, seen := runsOf(t, controller.Config[string]{ReplayParked: -1}, controller.Park(errors.New("hopeless")), 24*time.Hour)
		if len(runs) != 1 || seen.Parked != 1 {
			t.Errorf("ran at %v, %d are parked", runs, seen.Parked)
		}
	})
}

func TestOwnClassification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := controller.Config[string]{Classify: func(error) controller.Class { return controller.Terminal }}
		if _, seen := runsOf(t, config, controller.Retry(errors.New("a bug")), time.Minute); seen.Parked != 1 {
			t.Errorf("%d keys are parked, want 1", seen.Parked)
		}
	})
}
