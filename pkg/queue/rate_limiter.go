package queue

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A RateLimiter says how long a key waits before it is tried again. Its methods are those of client-go's
// workqueue.TypedRateLimiter, so each can stand for the other. They may be called concurrently and must not call the
// queue.
type RateLimiter[K comparable] interface {
	// When counts a failure of the key and returns how long it should wait.
	When(key K) time.Duration
	// Forget drops what is known of the key.
	Forget(key K)
	// NumRequeues returns the failures of the key since it was last forgotten.
	NumRequeues(key K) int
}

// Limits of [DefaultRateLimiter], the same as client-go's DefaultTypedControllerRateLimiter.
const (
	DefaultBaseDelay = 5 * time.Millisecond
	DefaultMaxDelay  = 1000 * time.Second
	DefaultRate      = rate.Limit(10) // per second
	DefaultBurst     = 100
)

// DefaultRateLimiter returns the longer wait of [Exponential], for each key, and [TokenBucket], for all keys together,
// with the default limits.
func DefaultRateLimiter[K comparable]() RateLimiter[K] {
	return MaxOf(
		Exponential[K](DefaultBaseDelay, DefaultMaxDelay),
		TokenBucket[K](rate.NewLimiter(DefaultRate, DefaultBurst)),
	)
}

// Exponential returns a limiter by which the n-th failure of a key in a row (counted from 0) waits min(base·2ⁿ, limit).
// It remembers each failing key until it is forgotten. A base that is not positive means no wait.
func Exponential[K comparable](base, limit time.Duration) RateLimiter[K] {
	return &exponential[K]{base: base, limit: limit, failures: make(map[K]int)}
}

type exponential[K comparable] struct {
	base, limit time.Duration

	mu       sync.Mutex
	failures map[K]int
}

func (l *exponential[K]) When(key K) time.Duration {
	l.mu.Lock()
	n := l.failures[key]
	l.failures[key] = n + 1
	l.mu.Unlock()

	if l.base <= 0 {
		return 0
	}
	delay := float64(l.base) * math.Pow(2, float64(n)) // +Inf from about the thousandth failure on
	if delay >= float64(l.limit) {                     // also when the limit is the longest duration there is, which no float is below
		return l.limit
	}
	return time.Duration(delay)
}

func (l *exponential[K]) Forget(key K) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.failures, key)
}

func (l *exponential[K]) NumRequeues(key K) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failures[key]
}

// TokenBucket returns a limiter by which all keys together pass at the limiter's rate, after its burst. It reads the real
// clock and counts no failures.
func TokenBucket[K comparable](limiter *rate.Limiter) RateLimiter[K] {
	return tokenBucket[K]{limiter}
}

type tokenBucket[K comparable] struct{ limiter *rate.Limiter }

func (b tokenBucket[K]) When(K) time.Duration { return b.limiter.Reserve().Delay() }
func (tokenBucket[K]) Forget(K)               {}
func (tokenBucket[K]) NumRequeues(K) int      { return 0 }

// MaxOf returns a limiter that asks all of the given ones and takes the longest wait and the highest count.
func MaxOf[K comparable](limiters ...RateLimiter[K]) RateLimiter[K] {
	return maxOf[K](limiters)
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
