package queue_test

import (
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// waits returns what the first failures of a key wait.
func waits(limiter queue.RateLimiter[string], failures int) []time.Duration {
	all := make([]time.Duration, failures)
	for i := range all {
		all[i] = limiter.When("a")
	}
	return all
}

func TestExponential(t *testing.T) {
	const ms, second = time.Millisecond, time.Second
	half := func() float64 { return 0.5 }
	tests := map[string]struct {
		config queue.ExponentialConfig
		want   []time.Duration
	}{
		"doubles up to the limit": {queue.ExponentialConfig{Base: 5 * ms, Max: 30 * ms}, []time.Duration{5 * ms, 10 * ms, 20 * ms, 30 * ms, 30 * ms}},
		"hits the limit exactly":  {queue.ExponentialConfig{Base: 5 * ms, Max: 20 * ms}, []time.Duration{5 * ms, 10 * ms, 20 * ms, 20 * ms}},
		"limit below base":        {queue.ExponentialConfig{Base: 5 * ms, Max: 2 * ms}, []time.Duration{2 * ms, 2 * ms}},
		"default base":            {queue.ExponentialConfig{Max: 15 * ms}, []time.Duration{5 * ms, 10 * ms, 15 * ms}},
		"default limit":           {queue.ExponentialConfig{Base: 600 * second}, []time.Duration{600 * second, 1000 * second, 1000 * second}},
		"negative base, no wait":  {queue.ExponentialConfig{Base: -ms, Max: 30 * ms}, []time.Duration{0, 0, 0}},
		"jitter":                  {queue.ExponentialConfig{Base: 4 * ms, Max: 30 * ms, FullJitter: true, Rand: half}, []time.Duration{2 * ms, 4 * ms, 8 * ms, 15 * ms}},
		"jitter of no wait":       {queue.ExponentialConfig{Base: -ms, FullJitter: true}, []time.Duration{0, 0, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			limiter := queue.Exponential[string](test.config)
			if got := waits(limiter, len(test.want)); !slices.Equal(got, test.want) {
				t.Errorf("waits are %v, want %v", got, test.want)
			}
		})
	}
}

// The chance that a right one fails is below 10⁻⁸⁰: 1000 draws, of which none is in one of ten parts.
func TestFullJitterReachesTheWholeWait(t *testing.T) {
	limiter := queue.Exponential[string](queue.ExponentialConfig{Base: time.Second, Max: time.Second, FullJitter: true})
	var tenths [10]int
	for _, wait := range waits(limiter, 2000) {
		if wait < 0 || wait >= time.Second {
			t.Fatalf("a wait is %v, want one from 0 to 1s", wait)
		}
		tenths[wait/(time.Second/10)]++
	}
	if slices.Contains(tenths[:], 0) {
		t.Errorf("waits in each tenth of the range are %v, want some in all", tenths)
	}
}

func TestJitterStaysWithinTheWaitWhateverRandSays(t *testing.T) {
	for _, fraction := range []float64{-1, 1, 2, math.Inf(1), math.NaN()} {
		limiter := queue.Exponential[string](queue.ExponentialConfig{
			Base: time.Second, FullJitter: true, Rand: func() float64 { return fraction },
		})
		if got := limiter.When("a"); got < 0 || got > time.Second {
			t.Errorf("with %v from Rand the wait is %v, want one from 0 to 1s", fraction, got)
		}
	}
}

func TestExponentialDoesNotOverflow(t *testing.T) {
	limiter := queue.Exponential[string](queue.ExponentialConfig{Base: time.Millisecond, Max: math.MaxInt64})
	all := waits(limiter, 3000)
	if !slices.IsSorted(all) || all[0] != time.Millisecond || all[2999] != math.MaxInt64 {
		t.Errorf("waits go from %v to %v, or not upward; want 1ms to the longest there is", all[0], all[2999])
	}
}

func TestExponentialCountsEachKey(t *testing.T) {
	limiter := queue.Exponential[string](queue.ExponentialConfig{Base: time.Second, Max: time.Hour})
	limiter.When("a")
	limiter.When("a")
	if got := limiter.When("b"); got != time.Second {
		t.Errorf("first failure of b waits %v, want 1s", got)
	}
	if got := limiter.NumRequeues("a"); got != 2 {
		t.Errorf("a failed %d times, want 2", got)
	}
	limiter.Forget("a")
	if got := limiter.When("a"); got != time.Second {
		t.Errorf("first failure of a after Forget waits %v, want 1s", got)
	}
}

// Nobody forgets a key that is given up. The limiter does, and forgets those that fail now last.
func TestCountersOfFailuresAreBounded(t *testing.T) {
	tests := map[string]queue.RateLimiter[int]{
		"exponential":   queue.Exponential[int](queue.ExponentialConfig{MaxKeys: 10}),
		"fast and slow": queue.FastSlow[int](queue.FastSlowConfig{MaxKeys: 10}),
		"default":       queue.Exponential[int](queue.ExponentialConfig{}),
	}
	for name, limiter := range tests {
		t.Run(name, func(t *testing.T) {
			const keys = 3 * queue.DefaultMaxKeys
			for key := range keys {
				limiter.When(key)
			}
			known := 0
			for key := range keys {
				known += limiter.NumRequeues(key)
			}
			maxKeys := 10
			if name == "default" {
				maxKeys = queue.DefaultMaxKeys
			}
			if known > maxKeys || known < maxKeys/2 {
				t.Errorf("%d keys are known, want from %d to %d", known, maxKeys/2, maxKeys)
			}
			if limiter.NumRequeues(keys-1) != 1 || limiter.NumRequeues(keys-maxKeys/2) != 1 {
				t.Error("keys that failed last are not known")
			}
		})
	}
}

// exactly is the formula, in numbers that do not overflow.
func exactly(base, limit time.Duration, failures int) time.Duration {
	wait := new(big.Int).Lsh(big.NewInt(max(int64(base), 0)), uint(min(failures-1, 100)))
	if wait.Cmp(big.NewInt(int64(limit))) > 0 {
		return limit
	}
	return time.Duration(wait.Int64())
}

func FuzzExponential(f *testing.F) {
	f.Add(int64(5*time.Millisecond), int64(1000*time.Second), 1, 0.5)
	f.Add(int64(1), int64(math.MaxInt64), 63, 0.999)
	f.Add(int64(3), int64(math.MaxInt64), 64, 1.0)
	f.Add(int64(-7), int64(1), math.MaxInt, -1.0)
	f.Fuzz(func(t *testing.T, base, limit int64, failures int, fraction float64) {
		if base == 0 || limit <= 0 || failures < 1 || failures == math.MaxInt {
			return
		}
		config := queue.ExponentialConfig{Base: time.Duration(base), Max: time.Duration(limit)}
		plain := queue.Exponential[string](config).(queue.Pacer[string])
		config.FullJitter, config.Rand = true, func() float64 { return fraction }
		jittered := queue.Exponential[string](config).(queue.Pacer[string])

		wait := plain.Wait("a", failures, time.Time{})
		if want := exactly(config.Base, config.Max, failures); wait != want {
			t.Errorf("failure %d waits %d, want %d", failures, wait, want)
		}
		if next := plain.Wait("a", failures+1, time.Time{}); next < wait || next > config.Max {
			t.Errorf("failure %d waits %d and the next %d, want from that to %d", failures, wait, next, limit)
		}
		if got := jittered.Wait("a", failures, time.Time{}); got < 0 || got > wait {
			t.Errorf("with jitter %v failure %d waits %d, want from 0 to %d", fraction, failures, got, wait)
		}
	})
}
