package controller_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// status returns an error as the API server answers it.
func status(code int32, reason metav1.StatusReason, retryAfter int32) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: code, Reason: reason, Details: &metav1.StatusDetails{RetryAfterSeconds: retryAfter},
	}}
}

// because gives a status a cause.
func because(err error, cause metav1.CauseType) error {
	err.(*apierrors.StatusError).ErrStatus.Details.Causes = []metav1.StatusCause{{Type: cause}} //nolint:errorlint // it is not wrapped
	return err
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
		"cut in the answer":       {fmt.Errorf("read the answer: %w", io.ErrUnexpectedEOF), controller.Refused},
		"cancelled dial":          {request(&net.OpError{Op: "dial", Err: context.Canceled}), controller.Failure},
		"request timed out":       {request(context.DeadlineExceeded), controller.Refused},
		"own deadline":            {context.DeadlineExceeded, controller.Failure},
		"cancelled":               {request(context.Canceled), controller.Failure},
		"invalid":                 {apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "a", nil), controller.Terminal},
		"bad request":             {apierrors.NewBadRequest("no"), controller.Terminal},
		"too large":               {apierrors.NewRequestEntityTooLargeError("no"), controller.Terminal},
		"joined, all stale":       {errors.Join(conflict, conflict), controller.Stale},
		"joined, one a failure":   {errors.Join(conflict, errors.New("a bug")), controller.Failure},
		"joined, refused first":   {errors.Join(refused, conflict), controller.Refused},
		"joined and wrapped":      {fmt.Errorf("both: %w", errors.Join(conflict, errors.New("a bug"))), controller.Failure},
		"aggregate":               {utilerrors.NewAggregate([]error{conflict, conflict}), controller.Stale},
		"aggregate, one of it":    {utilerrors.NewAggregate([]error{conflict, errors.New("a bug")}), controller.Failure},
		"expired":                 {apierrors.NewResourceExpired("too old"), controller.Stale},
		"name that is not known":  {request(&net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}), controller.Refused},
		"connection lost":         {request(errors.New("http2: client connection lost")), controller.Refused},
		"no route":                {request(&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}), controller.Refused},
		"bad gateway":             {status(502, "", 0), controller.Refused},
		"gateway timeout":         {status(504, "", 0), controller.Refused},
		"method not allowed":      {status(405, "", 0), controller.Terminal},
		"not acceptable":          {status(406, "", 0), controller.Terminal},
		"unsupported media type":  {status(415, "", 0), controller.Terminal},
		"eviction not allowed":    {because(status(429, metav1.StatusReasonTooManyRequests, 10), policyv1.DisruptionBudgetCause), controller.Failure},
		"namespace is deleted":    {because(status(403, metav1.StatusReasonForbidden, 0), corev1.NamespaceTerminatingCause), controller.Terminal},
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
		"not allowed for now": {controller.Retry(because(status(429, "", 8), policyv1.DisruptionBudgetCause)), 8 * second, 10 * second, 0},
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

func TestAClassifyThatPanicsHarmsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
		config := controller.Config[string]{Logger: logger, Classify: func(error) controller.Class { panic("a bug") }}
		if runs, _ := runsOf(t, config, controller.Retry(errors.New("broken")), 4*time.Second); len(runs) != 3 {
			t.Errorf("ran at %v, want three times with back-off", runs)
		}
		if logs := logged(t, logger); !strings.Contains(logs, "Classify panicked") {
			t.Errorf("the log is %q", logs)
		}
	})
}

// What is parked is looked at in a tenth of the time.
func TestWhenParkedKeysAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs []time.Duration
		begin := time.Now()
		c, stop := start(t, controller.Config[string]{
			Reconcile: func(context.Context, string) controller.Result {
				runs = append(runs, time.Since(begin))
				return controller.Park(errors.New("hopeless"))
			},
		})
		time.Sleep(5 * time.Minute)
		c.Enqueue("a")
		time.Sleep(31*time.Minute + time.Second)
		stop()
		if want := []time.Duration{5 * time.Minute, 36 * time.Minute}; !slices.Equal(runs, want) {
			t.Errorf("ran at %v, want %v", runs, want)
		}
	})
}

// A wait that all are told at once would bring all back at once.
func TestWaitsOfTheServerAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		again := make(map[time.Duration]bool)
		begin, runs := time.Now(), make(map[string]int)
		c, stop := start(t, controller.Config[string]{
			Breaker: controller.Breaker{Threshold: -1},
			Reconcile: func(_ context.Context, key string) controller.Result {
				runs[key]++
				if runs[key] > 1 {
					again[time.Since(begin)] = true
					return controller.Done()
				}
				return controller.Retry(status(429, "", 8))
			},
		})
		for n := range 20 {
			c.Enqueue(fmt.Sprint(n))
		}
		time.Sleep(10 * time.Second)
		stop()
		if len(again) < 10 {
			t.Errorf("20 keys came back at only %d times", len(again))
		}
	})
}

func TestWhatIsLoggedOfAFailure(t *testing.T) {
	tests := map[string]struct {
		result controller.Result
		want   string
	}{
		"failure":  {controller.Retry(errors.New("broken")), `ERROR Reconcile failed, will retry err="broken"`},
		"stale":    {controller.Retry(status(409, "", 0)), `INFO Reconcile failed, will retry`},
		"terminal": {controller.Park(errors.New("broken")), `ERROR Reconcile failed, parked until something changes err="broken"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
				runsOf(t, controller.Config[string]{Logger: logger}, test.result, 0)
				logs := logged(t, logger)
				for _, want := range []string{test.want, `err="`, "failures=1"} {
					if !strings.Contains(logs, want) {
						t.Errorf("the log is %q, want %q in it", logs, want)
					}
				}
			})
		})
	}
}

// logged returns what a logger has buffered.
func logged(t *testing.T, logger klog.Logger) string {
	t.Helper()
	sink, ok := logger.GetSink().(ktesting.Underlier)
	if !ok {
		t.Fatal("the logger has no buffer")
	}
	return sink.GetBuffer().String()
}
