package queue_test

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestTokenBucket(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct {
		limiter *rate.Limiter
		want    []time.Duration
	}{
		"waits in line after the burst":  {rate.NewLimiter(10, 2), []time.Duration{0, 0, 100 * ms, 200 * ms, 300 * ms}},
		"endless":                        {rate.NewLimiter(rate.Inf, 0), []time.Duration{0, 0, 0}},
		"infinite":                       {rate.NewLimiter(rate.Limit(math.Inf(1)), 1), []time.Duration{0, 0, 0}},
		"no burst, so never":             {rate.NewLimiter(10, 0), []time.Duration{1000 * time.Second, 1000 * time.Second}},
		"no rate, so never":              {rate.NewLimiter(0, 1), []time.Duration{0, 1000 * time.Second, 1000 * time.Second}},
		"negative rate, so never":        {rate.NewLimiter(-1, 1), []time.Duration{0, 1000 * time.Second}},
		"not in 292 years":               {rate.NewLimiter(1e-12, 1), []time.Duration{0, 1000 * time.Second, 1000 * time.Second}},
		"a limiter that is not made yet": {new(rate.Limiter), []time.Duration{1000 * time.Second}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limiter := queue.TokenBucket[string](test.limiter)
				if got := waits(limiter, len(test.want)); !slices.Equal(got, test.want) {
					t.Errorf("waits are %v, want %v", got, test.want)
				}
			})
		})
	}
}

// Wait tells what a token would cost, for a bucket in whatever state, without taking one.
func FuzzTokenBucket(f *testing.F) {
	f.Add(10.0, 100, 120, int64(time.Millisecond))
	f.Add(0.3, 1, 5, int64(time.Second))
	f.Add(1e-9, 1, 30, int64(time.Hour))
	f.Add(float64(rate.Inf), 0, 3, int64(1))
	f.Add(-1.0, 2, 3, int64(time.Second))
	f.Add(0.0, 2, 3, int64(time.Second))
	f.Add(10.0, 0, 3, int64(time.Second))
	f.Add(math.Inf(1), 1, 3, int64(0))
	f.Add(math.NaN(), 0, 3, int64(0))
	f.Fuzz(func(t *testing.T, limit float64, burst, spends int, pause int64) {
		if spends < 0 || spends > 1000 || pause < 0 {
			return
		}
		bucket := rate.NewLimiter(rate.Limit(limit), burst)
		limiter := queue.TokenBucket[string](bucket).(queue.Pacer[string])
		now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		for range spends {
			limiter.Spend("a", now)
			now = now.Add(time.Duration(pause) % time.Hour)
		}
		tokens := bucket.TokensAt(now)
		wait := limiter.Wait("a", 1, now)
		if got := bucket.TokensAt(now); got != tokens && !math.IsNaN(tokens) {
			t.Errorf("Wait changed the tokens from %v to %v", tokens, got)
		}
		want := bucket.ReserveN(now, 1).DelayFrom(now)
		if want == rate.InfDuration {
			want = queue.DefaultMaxDelay
		}
		if wait != want || wait < 0 {
			t.Errorf("Wait says %d, the bucket says %d", wait, want)
		}
	})
}

// A limiter that is paused for a while neither loses keys nor makes others pay for them afterwards.
func TestTokenBucketThatIsPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bucket := rate.NewLimiter(10, 1)
		limiter := queue.TokenBucket[string](bucket)
		limiter.When("takes the token")
		bucket.SetLimit(0)
		for range 100 {
			if got := limiter.When("paused"); got != queue.DefaultMaxDelay {
				t.Fatalf("while paused the wait is %v, want %v", got, queue.DefaultMaxDelay)
			}
		}
		bucket.SetLimit(10)
		if got, want := limiter.When("a"), 100*time.Millisecond; got != want {
			t.Errorf("after the pause the wait is %v, want %v", got, want)
		}
	})
}
