package answer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/answer"
)

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
