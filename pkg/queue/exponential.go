package queue

import (
	"cmp"
	"math/rand/v2"
	"time"
)

// ExponentialConfig configures [Exponential]. The zero value works: client-go's back-off of 5 ms, 10 ms, 20 ms and so
// on up to 1000 s.
type ExponentialConfig struct {
	// Base is the wait after the first failure. Defaults to [DefaultBaseDelay]; negative means that no failure waits.
	Base time.Duration

	// Max is the longest wait, also if Base is longer. Defaults to [DefaultMaxDelay]; negative panics.
	Max time.Duration

	// FullJitter draws each wait evenly between 0 and what it is without, so that keys that failed together do not come
	// back together. Off by default.
	FullJitter bool

	// Rand returns the random numbers of FullJitter, in [0, 1). It is called concurrently. Defaults to
	// [math/rand/v2.Float64].
	Rand func() float64

	// MaxKeys is how many keys are remembered by When; Wait remembers none. At least 2 are. The MaxKeys/2 that failed
	// last always are; of older ones some are forgotten, as by Forget. Defaults to [DefaultMaxKeys]; negative panics.
	MaxKeys int
}

func (c ExponentialConfig) withDefaults() ExponentialConfig {
	c.Base = max(cmp.Or(c.Base, DefaultBaseDelay), 0)
	c.Max = orDefault("ExponentialConfig.Max", c.Max, DefaultMaxDelay)
	c.MaxKeys = orDefault("ExponentialConfig.MaxKeys", c.MaxKeys, DefaultMaxKeys)
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	return c
}

// Exponential returns a limiter by which the n-th failure of a key in a row, counted from 0, waits min(Base·2ⁿ, Max).
// With FullJitter it waits a random time between 0 and that: see "Exponential Backoff and Jitter" by Marc Brooker,
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter. It is a [Pacer] that spends nothing.
func Exponential[K comparable](config ExponentialConfig) RateLimiter[K] {
	config = config.withDefaults()
	return byFailures[K]{newFailures[K](config.MaxKeys), config.wait}
}

func (c ExponentialConfig) wait(failures int) time.Duration {
	wait := c.Max
	if doublings := max(failures-1, 0); c.Base <= wait>>doublings { // so the shift does not overflow
		wait = c.Base << doublings
	}
	if c.FullJitter {
		return jitter(wait, c.Rand())
	}
	return wait
}

// jitter returns the given fraction of the wait, within the wait whatever the fraction is.
func jitter(wait time.Duration, fraction float64) time.Duration {
	return min(max(time.Duration(fraction*float64(wait)), 0), wait)
}
