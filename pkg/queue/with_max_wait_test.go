package queue_test

import (
	"slices"
	"testing"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestWithMaxWait(t *testing.T) {
	const s = time.Second
	ours := func() queue.RateLimiter[string] { return queue.Exponential[string](queue.ExponentialConfig{Base: s}) }
	theirs := func() queue.RateLimiter[string] {
		return workqueue.NewTypedItemExponentialFailureRateLimiter[string](s, time.Hour)
	}
	tests := map[string]struct {
		limiter queue.RateLimiter[string]
		longest time.Duration
		want    []time.Duration
	}{
		"ours":        {ours(), 3 * s, []time.Duration{s, 2 * s, 3 * s, 3 * s}},
		"client-go's": {theirs(), 3 * s, []time.Duration{s, 2 * s, 3 * s, 3 * s}},
		"no wait":     {ours(), 0, []time.Duration{0, 0, 0, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			limiter := queue.WithMaxWait(test.limiter, test.longest)
			if got := waits(limiter, len(test.want)); !slices.Equal(got, test.want) {
				t.Errorf("waits are %v, want %v", got, test.want)
			}
			if got := limiter.NumRequeues("a"); got != 4 {
				t.Errorf("a failed %d times, want 4", got)
			}
			limiter.Forget("a")
			if got := limiter.NumRequeues("a"); got != 0 {
				t.Errorf("a failed %d times after Forget, want 0", got)
			}
		})
	}
}

// A wait that is cut takes its place all the same, so the keys after it wait as long as without the cut.
func TestWithMaxWaitSpendsAllTheSame(t *testing.T) {
	now := time.Unix(0, 0)
	window := queue.WindowedCounter[string](queue.WindowConfig{Limit: 1, Period: time.Minute}).(queue.Pacer[string])
	limiter := queue.WithMaxWait[string](window, time.Second).(queue.Pacer[string])
	limiter.Spend("a", now)
	limiter.Spend("a", now)
	if got := limiter.Wait("a", 1, now); got != time.Second {
		t.Errorf("the wait is %v, want 1s", got)
	}
	if got := window.Wait("a", 1, now); got != 2*time.Minute {
		t.Errorf("without the cut the wait is %v, want 2m", got)
	}
}
