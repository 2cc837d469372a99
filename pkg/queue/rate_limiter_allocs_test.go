//go:build !race

package queue_test

import (
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A limiter is asked for each failure, by a queue under its lock.
func TestLimitersAllocateNothing(t *testing.T) {
	const runs = 10000
	now := time.Now()
	for name, newLimiter := range limiters() {
		t.Run(name, func(t *testing.T) {
			limiter := newLimiter().(queue.Pacer[string])
			use := func() {
				for _, key := range []string{"a", "b"} {
					limiter.When(key)
					limiter.Wait(key, 3, now)
					limiter.Spend(key, now)
					limiter.NumRequeues(key)
					limiter.Forget(key)
				}
			}
			use() // what a key needs
			use()
			if got := testing.AllocsPerRun(runs, use); got != 0 {
				t.Errorf("%v allocations for two keys, want none", got)
			}
		})
	}
}
