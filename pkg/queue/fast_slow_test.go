package queue_test

import (
	"slices"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestFastSlow(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct {
		config queue.FastSlowConfig
		want   []time.Duration
	}{
		"defaults":         {queue.FastSlowConfig{}, []time.Duration{5 * ms, 5 * ms, 5 * ms, 10 * time.Second, 10 * time.Second}},
		"one fast":         {queue.FastSlowConfig{Fast: ms, Slow: 2 * ms, Attempts: 1}, []time.Duration{ms, 2 * ms, 2 * ms}},
		"none fast":        {queue.FastSlowConfig{Fast: ms, Slow: 2 * ms, Attempts: -1}, []time.Duration{2 * ms, 2 * ms}},
		"fast is at once":  {queue.FastSlowConfig{Fast: -1, Slow: 2 * ms, Attempts: 2}, []time.Duration{0, 0, 2 * ms}},
		"slow is the fast": {queue.FastSlowConfig{Fast: 2 * ms, Slow: ms, Attempts: 1}, []time.Duration{2 * ms, ms}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			limiter := queue.FastSlow[string](test.config)
			for _, again := range []string{"first", "after Forget"} {
				if got := waits(limiter, len(test.want)); !slices.Equal(got, test.want) {
					t.Errorf("%s: waits are %v, want %v", again, got, test.want)
				}
				limiter.Forget("a")
			}
		})
	}
}
