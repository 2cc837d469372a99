package queue

import (
	"fmt"
	"slices"
	"time"
)

// MaxOf returns a limiter that asks all of the given ones and takes the longest wait and the highest count, or 0 if
// there are none. They may be client-go's. It is a [Pacer] if all of them are; its Spend spends on each.
//
// A place that one of them gives is not kept for later when another says a longer wait. So at times more keys may come
// back than a [TokenBucket] or a [WindowedCounter] among them lets pass, though on average no more do. A nil limiter
// panics.
func MaxOf[K comparable](limiters ...RateLimiter[K]) RateLimiter[K] {
	if i := slices.Index(limiters, nil); i >= 0 {
		panic(fmt.Sprintf("queue: limiter %d of MaxOf is nil", i))
	}
	all := maxOf[K](slices.Clone(limiters))
	pacers := make([]Pacer[K], len(all))
	for i, limiter := range all {
		pacer, ok := limiter.(Pacer[K])
		if !ok {
			return all
		}
		pacers[i] = pacer
	}
	return maxOfPacers[K]{all, pacers}
}

type maxOf[K comparable] []RateLimiter[K]

func (m maxOf[K]) When(key K) time.Duration {
	var longest time.Duration
	for _, limiter := range m {
		longest = max(longest, limiter.When(key))
	}
	return longest
}

func (m maxOf[K]) Forget(key K) {
	for _, limiter := range m {
		limiter.Forget(key)
	}
}

func (m maxOf[K]) NumRequeues(key K) int {
	highest := 0
	for _, limiter := range m {
		highest = max(highest, limiter.NumRequeues(key))
	}
	return highest
}

// maxOfPacers holds the same limiters twice.
type maxOfPacers[K comparable] struct {
	maxOf[K]
	pacers []Pacer[K]
}

func (m maxOfPacers[K]) Wait(key K, failures int, now time.Time) time.Duration {
	var longest time.Duration
	for _, pacer := range m.pacers {
		longest = max(longest, pacer.Wait(key, failures, now))
	}
	return longest
}

func (m maxOfPacers[K]) Spend(key K, now time.Time) {
	for _, pacer := range m.pacers {
		pacer.Spend(key, now)
	}
}
