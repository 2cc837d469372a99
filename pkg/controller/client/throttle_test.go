package client_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/client"
)

// client-go tries again by itself when the server asks for patience. The controller whose reconcile asked knows, with every
// client of a bundle.
func TestAControllerHearsOfThrottling(t *testing.T) {
	answers := []struct {
		code  int
		after string
	}{{http.StatusTooManyRequests, "0"}, {http.StatusServiceUnavailable, "0"}, {http.StatusOK, ""}}
	var asked atomic.Int64
	clients := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		answer := answers[(int(asked.Add(1))-1)%len(answers)]
		w.Header().Set("Content-Type", "application/json")
		if answer.after != "" {
			w.Header().Set("Retry-After", answer.after)
		}
		w.WriteHeader(answer.code)
		flush(w, `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"settings"}}`)
	}).dial(t, client.Options{})
	wrapped, err := clients.Wrap(func(next http.RoundTripper) http.RoundTripper { return next })
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	c, err := controller.New(controller.Config[string]{
		Name: "test",
		Reconcile: func(ctx context.Context, _ string) controller.Result {
			defer stop()
			if _, err := clients.Typed.CoreV1().ConfigMaps("shop").Get(ctx, "settings", metav1.GetOptions{}); err != nil {
				t.Error(err)
			}
			if _, err := wrapped.Dynamic.Resource(configMaps).Namespace("shop").Get(ctx, "settings", metav1.GetOptions{}); err != nil {
				t.Error(err)
			}
			return controller.Done()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Enqueue("a")
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if got := c.Status(); asked.Load() != 6 || got.Throttled != 4 || got.Refused != 0 {
		t.Errorf("of %d requests %d were throttled, %d reconciles refused; want 6, 4 and 0", asked.Load(), got.Throttled, got.Refused)
	}
}
