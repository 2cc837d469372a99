package write_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

func unnamed() *corev1.ConfigMap {
	obj := configMap("", map[string]string{"a": "1"})
	obj.GenerateName = "run-"
	return obj
}

// first fails the first n requests to create.
func first(n int, err error) func(string) error {
	return func(request string) error {
		if request != "create" || n == 0 {
			return nil
		}
		n--
		return err
	}
}

// Whatever becomes of the answers, there is one object in the end, and the caller has it.
func TestALostAnswerMakesNoSecondObject(t *testing.T) {
	tests := map[string]struct {
		refuse, lose func(string) error
		requests     string
	}{
		"all is well":           {nil, nil, "create"},
		"lost":                  {nil, first(1, io.ErrUnexpectedEOF), "create create get"},
		"never arrived":         {first(1, io.ErrUnexpectedEOF), nil, "create create"},
		"a gateway timed out":   {nil, first(1, apierrors.NewTimeoutError("gateway", 1)), "create create get"},
		"lost after failures":   {first(3, io.ErrUnexpectedEOF), first(1, io.ErrUnexpectedEOF), "create create create create create get"},
		"the name is another's": {first(1, apierrors.NewAlreadyExists(configMaps, "run-x")), nil, "create create"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				s.refuse, s.lose = test.refuse, test.lose
				w, v := newWriter(t, s, write.Config{})
				obj := unnamed()
				reconcile(t, func(ctx context.Context) error {
					created, err := w.Create(ctx, obj)
					if err == nil && (created.UID == "" || created.Data["a"] != "1") {
						t.Errorf("created is %v", created)
					}
					return err
				})
				if got := strings.Join(s.requests, " "); got != test.requests || len(s.objects) != 1 || w.Status().Created != 1 {
					t.Errorf("the requests %q made %d objects, status %+v; want %q", got, len(s.objects), w.Status(), test.requests)
				}
				for name := range s.objects {
					if !strings.HasPrefix(name, "run-") || len(name) != len("run-")+8 {
						t.Errorf("the name is %q", name)
					}
				}
				if len(v.waits) == 0 || obj.Name != "" {
					t.Errorf("waited for %q; the object passed in is %q now", v.waits, obj.Name)
				}
			})
		})
	}
}

func TestGeneratedNamesAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		w, _ := newWriter(t, s, write.Config{Attempts: 3})
		for _, err := range []error{io.ErrUnexpectedEOF, apierrors.NewForbidden(configMaps, "a", errors.New("no right"))} {
			s.refuse = func(string) error { return err }
			if _, got := w.Create(t.Context(), unnamed()); !errors.Is(got, err) {
				t.Errorf("the error is %v, want %v", got, err)
			}
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		s.refuse = func(string) error { cancel(controller.ErrTimeout); return context.Canceled }
		if _, err := w.Create(ctx, unnamed()); !errors.Is(err, controller.ErrTimeout) {
			t.Errorf("the error is %v, want what has ended the context", err)
		}
		if got := strings.Join(s.requests, " "); got != "create create create create create" { // 3, 1 and 1
			t.Errorf("the requests are %q", got)
		}
	})
}

func TestLongGeneratedNamesAreCut(t *testing.T) {
	s := newServer()
	w, _ := newWriter(t, s, write.Config{})
	obj := unnamed()
	obj.GenerateName = strings.Repeat("x", 100)
	created, err := w.Create(t.Context(), obj)
	if err != nil || len(created.Name) != 63 {
		t.Errorf("the name is %q, %v", created.GetName(), err)
	}
}
