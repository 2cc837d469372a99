package queue_test

import (
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestMaxOfTakesTheLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := queue.MaxOf(
			queue.Exponential[string](queue.ExponentialConfig{Base: 150 * time.Millisecond}),
			queue.TokenBucket[string](rate.NewLimiter(1, 1)),
		)
		if got := limiter.When("a"); got != 150*time.Millisecond {
			t.Errorf("first wait is %v, want the back-off's", got)
		}
		if got := limiter.When("a"); got != time.Second {
			t.Errorf("second wait is %v, want the bucket's", got)
		}
		if got := limiter.NumRequeues("a"); got != 2 {
			t.Errorf("a failed %d times, want 2", got)
		}
		limiter.Forget("a")
		if got := limiter.NumRequeues("a"); got != 0 {
			t.Errorf("a failed %d times after Forget, want 0", got)
		}
	})
}

func TestMaxOfSpendsOnAllParts(t *testing.T) {
	now := time.Unix(0, 0)
	shared := queue.WindowedCounter[string](queue.WindowConfig{Limit: 1, Period: time.Minute})
	each := queue.WindowedCounter[string](queue.WindowConfig{Limit: 1, Period: time.Hour, PerKey: true})
	limiter := queue.MaxOf(shared, each).(queue.Pacer[string])
	limiter.Spend("a", now)
	for key, want := range map[string]time.Duration{"a": time.Hour, "b": time.Minute} {
		if got := limiter.Wait(key, 1, now); got != want {
			t.Errorf("%s waits %v, want %v", key, got, want)
		}
	}
}

func TestMaxOfKeepsItsParts(t *testing.T) {
	parts := []queue.RateLimiter[string]{workqueue.NewTypedItemFastSlowRateLimiter[string](time.Second, time.Minute, 1)}
	limiter := queue.MaxOf(parts...)
	parts[0] = nil
	if got := limiter.When("a"); got != time.Second {
		t.Errorf("after the caller changed its slice the wait is %v, want 1s", got)
	}
}
