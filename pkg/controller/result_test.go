package controller_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// Each reconcile of the key gives the next result; the observations tell when it ran.
func TestResults(t *testing.T) {
	failure := errors.New("a failure")
	second := time.Second
	tests := map[string]struct {
		results  []controller.Result
		runs     []time.Duration // after the start
		failures int             // counted by the last of these runs
	}{
		"done":          {[]controller.Result{controller.Done()}, []time.Duration{0}, 0},
		"zero value":    {[]controller.Result{{}}, []time.Duration{0}, 0},
		"requeue":       {[]controller.Result{controller.RequeueAfter(5 * second), controller.Done()}, []time.Duration{0, 5 * second}, 0},
		"requeue now":   {[]controller.Result{controller.RequeueAfter(0), controller.Done()}, []time.Duration{0, 0}, 0},
		"retry of nil":  {[]controller.Result{controller.Retry(nil)}, []time.Duration{0}, 0},
		"retry":         {[]controller.Result{controller.Retry(failure), controller.Retry(failure), controller.Done()}, []time.Duration{0, second, 3 * second}, 0},
		"retry for now": {[]controller.Result{controller.Retry(failure), controller.Retry(failure)}, []time.Duration{0, second}, 2},
		"success resets the back-off": {
			[]controller.Result{controller.Retry(failure), controller.RequeueAfter(second), controller.Retry(failure), controller.Done()},
			[]time.Duration{0, second, 2 * second, 3 * second},
			0,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var runs []time.Duration
				var seen []controller.Observation[string]
				c, stop := start(t, controller.Config[string]{
					Queue: queue.Config[string]{RateLimiter: queue.Exponential[string](queue.ExponentialConfig{Base: time.Second, Max: time.Hour})},
					Reconcile: func(context.Context, string) controller.Result {
						runs = append(runs, time.Since(begin))
						if len(runs) > len(test.results) {
							return controller.Done()
						}
						return test.results[len(runs)-1]
					},
					Observe: func(o controller.Observation[string]) { seen = append(seen, o) },
				})
				c.Enqueue("a")
				time.Sleep(time.Duration(len(test.results))*5*second - 3*second)
				stop()
				if len(runs) < len(test.runs) || !slices.Equal(runs[:len(test.runs)], test.runs) {
					t.Fatalf("ran at %v, want %v", runs, test.runs)
				}
				if test.failures == 0 && len(runs) > len(test.runs) {
					t.Errorf("ran at %v, want nothing after %v", runs, test.runs)
				}
				if got := seen[len(test.runs)-1].Failures; got != test.failures {
					t.Errorf("%d failures observed, want %d", got, test.failures)
				}
			})
		})
	}
}

func TestObservationTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []controller.Observation[string]
		c, stop := start(t, controller.Config[string]{
			Reconcile: func(context.Context, string) controller.Result {
				time.Sleep(2 * time.Second)
				return controller.Done()
			},
			Observe: func(o controller.Observation[string]) { seen = append(seen, o) },
		})
		c.Enqueue("a")
		c.Enqueue("b")
		time.Sleep(time.Minute)
		stop()
		if len(seen) != 2 || seen[1].Key != "b" || seen[1].Queued != 2*time.Second || seen[1].Took != 2*time.Second {
			t.Errorf("observed %+v, want b queued for 2s and done in 2s", seen)
		}
	})
}

func TestResultString(t *testing.T) {
	tests := map[string]controller.Result{
		"done":             controller.Done(),
		"requeue after 5s": controller.RequeueAfter(5 * time.Second),
		"retry: broken":    controller.Retry(errors.New("broken")),
		"park: broken":     controller.Park(errors.New("broken")),

		"retry after 5s: broken": controller.RetryAfter(5*time.Second, errors.New("broken")),
	}
	for want, result := range tests {
		if got := result.String(); got != want {
			t.Errorf("the result says %q, want %q", got, want)
		}
	}
}
