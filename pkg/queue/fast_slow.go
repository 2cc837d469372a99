package queue

import (
	"cmp"
	"time"
)

// Defaults of [FastSlowConfig].
const (
	DefaultSlowDelay    = 10 * time.Second
	DefaultFastAttempts = 3
)

// FastSlowConfig configures [FastSlow]. The zero value works: three retries after 5 ms, all others after 10 s.
type FastSlowConfig struct {
	// Fast is the wait after each of the first failures. Defaults to [DefaultBaseDelay]; negative means no wait.
	Fast time.Duration

	// Slow is the wait after all later failures. Defaults to [DefaultSlowDelay]; negative panics.
	Slow time.Duration

	// Attempts is how many failures in a row wait for Fast. Defaults to [DefaultFastAttempts]; negative means none.
	Attempts int

	// MaxKeys is how many keys are remembered by When; Wait remembers none. At least 2 are. The MaxKeys/2 that failed
	// last always are; of older ones some are forgotten, as by Forget. Defaults to [DefaultMaxKeys]; negative panics.
	MaxKeys int
}

func (c FastSlowConfig) withDefaults() FastSlowConfig {
	c.Fast = max(cmp.Or(c.Fast, DefaultBaseDelay), 0)
	c.Slow = orDefault("FastSlowConfig.Slow", c.Slow, DefaultSlowDelay)
	c.Attempts = cmp.Or(c.Attempts, DefaultFastAttempts)
	c.MaxKeys = orDefault("FastSlowConfig.MaxKeys", c.MaxKeys, DefaultMaxKeys)
	return c
}

// FastSlow returns a limiter by which the n-th failure of a key in a row, counted from 1, waits Fast while n ≤
// Attempts, and Slow from then on. It is a [Pacer] that spends nothing.
func FastSlow[K comparable](config FastSlowConfig) RateLimiter[K] {
	config = config.withDefaults()
	return byFailures[K]{newFailures[K](config.MaxKeys), config.wait}
}

func (c FastSlowConfig) wait(failures int) time.Duration {
	if failures <= c.Attempts {
		return c.Fast
	}
	return c.Slow
}
