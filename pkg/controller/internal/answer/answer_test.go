package answer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/answer"
)

func TestWhatIsReadOfAnAnswer(t *testing.T) {
	tests := map[string]struct {
		err      error
		code     int
		answered bool
		wait     time.Duration
		asked    bool
	}{
		"none":         {nil, 0, false, 0, false},
		"cut":          {io.ErrUnexpectedEOF, 0, false, 0, false},
		"no code":      {&apierrors.StatusError{}, 0, true, 0, false},
		"bad request":  {apierrors.NewBadRequest("no"), 400, true, 0, false},
		"too many":     {fmt.Errorf("create: %w", apierrors.NewTooManyRequests("later", 7)), 429, true, 7 * time.Second, true},
		"at once":      {apierrors.NewServerTimeout(schema.GroupResource{}, "get", 0), 500, true, 0, true},
		"in two hours": {apierrors.NewTimeoutError("gateway", 7200), 504, true, answer.MaxRetryAfter, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, answered := answer.StatusOf(test.err)
			if code := answer.CodeOf(test.err); code != test.code || answered != test.answered {
				t.Errorf("the code is %d, answered: %v", code, answered)
			}
			if wait, asked := answer.RetryAfter(test.err); wait != test.wait || asked != test.asked {
				t.Errorf("to be waited are %v, asked: %v", wait, asked)
			}
		})
	}
}

// Each reconcile asks, and most have no error.
func TestNoErrorCostsNothing(t *testing.T) {
	if allocs := testing.AllocsPerRun(100, func() { answer.StatusOf(nil); answer.RetryAfter(nil) }); allocs != 0 {
		t.Errorf("it costs %v allocations", allocs)
	}
}

func TestIsLost(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	tests := map[string]struct {
		err  error
		lost bool
	}{
		"none":           {nil, false},
		"cut":            {io.ErrUnexpectedEOF, true},
		"timed out":      {fmt.Errorf("post: %w", context.DeadlineExceeded), true},
		"no code":        {&apierrors.StatusError{}, true},
		"etcd timed out": {apierrors.NewInternalError(errors.New("etcdserver: request timed out")), true},
		"a gateway":      {fmt.Errorf("create: %w", apierrors.NewTimeoutError("gateway", 1)), true},
		"there already":  {apierrors.NewAlreadyExists(pods, "a"), false},
		"bad request":    {apierrors.NewBadRequest("no"), false},
		"too many":       {fmt.Errorf("create: %w", apierrors.NewTooManyRequests("later", 1)), false},
		"never sent":     {&rest.RequestConstructionError{Err: errors.New("no such host")}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if lost := answer.IsLost(test.err); lost != test.lost {
				t.Errorf("IsLost(%v) is %v", test.err, lost)
			}
		})
	}
}
