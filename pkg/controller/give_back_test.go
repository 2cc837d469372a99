package controller_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A worker that waits for a key gets one when the breaker has opened in the meantime, and gives it back. The key has waited
// already: it is the next trial, whatever the queue would let a hot key wait for.
func TestAKeyThatIsGivenBackWaitsForNothing(t *testing.T) {
	for name, hot := range map[string]queue.HotKeys{"no hot keys": {}, "hot keys": {Quiet: time.Hour}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, began := newHand(), time.Now()
				close(source.synced)
				ran := make(map[string]time.Duration)
				_, stop := start(t, controller.Config[string]{
					Workers: 2, // the second waits for a key all the time
					Sources: []controller.Source[string]{source},
					Breaker: controller.Breaker{Threshold: 1, MinWait: time.Minute},
					Queue: queue.Config[string]{
						HotKeys:     hot,
						RateLimiter: queue.Exponential[string](queue.ExponentialConfig{Base: time.Hour}),
					},
					Reconcile: func(_ context.Context, key string) controller.Result {
						ran[key] = time.Since(began)
						if key == "refused" {
							return controller.Retry(status(503, "", 0))
						}
						return controller.Done()
					},
				})
				source.add("refused")
				synctest.Wait()
				source.add("given back")
				time.Sleep(10 * time.Minute)
				stop()
				if at, ok := ran["given back"]; !ok || at != time.Minute {
					t.Errorf("it ran: %v, after %v; want after the pause of a minute", ok, at)
				}
			})
		})
	}
}
