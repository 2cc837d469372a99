package queue

import (
	"fmt"
	"time"
)

// WithMaxWait returns a limiter that waits as the given one says, but at most the longest wait; 0 is no wait at all.
// The limiter may be client-go's. The result is a [Pacer] if the limiter is one; its Spend spends all the same when the
// wait was cut. A nil limiter or a negative wait panics.
func WithMaxWait[K comparable](limiter RateLimiter[K], longest time.Duration) RateLimiter[K] {
	if limiter == nil {
		panic("queue: WithMaxWait has no limiter")
	}
	if longest < 0 {
		panic(fmt.Sprintf("queue: the longest wait of WithMaxWait is %v; it must be positive, or 0 for no wait", longest))
	}
	limited := withMaxWait[K]{limiter, longest}
	if pacer, ok := limiter.(Pacer[K]); ok {
		return pacerWithMaxWait[K]{limited, pacer}
	}
	return limited
}

type withMaxWait[K comparable] struct {
	RateLimiter[K]
	longest time.Duration
}

func (l withMaxWait[K]) When(key K) time.Duration {
	return min(l.RateLimiter.When(key), l.longest)
}

// pacerWithMaxWait holds the same limiter twice.
type pacerWithMaxWait[K comparable] struct {
	withMaxWait[K]
	pacer Pacer[K]
}

func (l pacerWithMaxWait[K]) Wait(key K, failures int, now time.Time) time.Duration {
	return min(l.pacer.Wait(key, failures, now), l.longest)
}

func (l pacerWithMaxWait[K]) Spend(key K, now time.Time) {
	l.pacer.Spend(key, now)
}
