package queue

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// TokenBucket returns a limiter by which all keys together pass at the limiter's rate, after its burst: each takes a
// token and waits until there is one. It counts no failures and holds nothing of a key. It is a [Pacer] whose Spend
// takes the token, also one that is to come.
//
// The limiter may be changed, and used for other things, at any time. A key for which there never will be a token, as
// the burst or the rate is 0, takes none and waits [DefaultMaxDelay]: waiting for ever would lose it even if the
// limiter is changed meanwhile. A nil limiter panics.
func TokenBucket[K comparable](limiter *rate.Limiter) RateLimiter[K] {
	if limiter == nil {
		panic("queue: TokenBucket has no limiter")
	}
	return tokenBucket[K]{limiter}
}

type tokenBucket[K comparable] struct{ limiter *rate.Limiter }

func (b tokenBucket[K]) When(K) time.Duration { return b.take(time.Now()) }
func (tokenBucket[K]) Forget(K)               {}
func (tokenBucket[K]) NumRequeues(K) int      { return 0 }

// Wait calculates what rate.Limiter does not tell without taking a token, in the same way.
func (b tokenBucket[K]) Wait(_ K, _ int, now time.Time) time.Duration {
	limit, missing := b.limiter.Limit(), 1-b.limiter.TokensAt(now)
	switch {
	case limit == rate.Inf:
		return 0
	case b.limiter.Burst() < 1:
		return DefaultMaxDelay
	case missing <= 0, math.IsNaN(missing): // with an infinite rate that is not rate.Inf, the tokens are no number
		return 0
	}
	wait := missing / float64(limit) * float64(time.Second)
	if limit <= 0 || wait >= math.MaxInt64 {
		return DefaultMaxDelay
	}
	return time.Duration(wait)
}

func (b tokenBucket[K]) Spend(_ K, now time.Time) { b.take(now) }

func (b tokenBucket[K]) take(now time.Time) time.Duration {
	token := b.limiter.ReserveN(now, 1)
	wait := token.DelayFrom(now)
	if wait == rate.InfDuration { // there never will be one
		token.CancelAt(now)
		return DefaultMaxDelay
	}
	return wait
}
