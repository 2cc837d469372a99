package queue

import (
	"cmp"
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

// A RateLimiter says how long a key waits before it is tried again. Its methods are those of client-go's
// workqueue.TypedRateLimiter, so each can stand for the other. They may be called concurrently. A [Queue] calls them
// under its lock: they must be quick and must not call the queue.
//
// Package queuetest tells whether an implementation conforms.
type RateLimiter[K comparable] interface {
	// When counts a failure of the key and returns how long it should wait, which is never negative.
	When(key K) time.Duration
	// Forget ends the key's series of failures: the next one counts as the first. What is limited for another reason,
	// as by a bucket of tokens, stays so. Forget of an unknown key does nothing.
	Forget(key K)
	// NumRequeues returns the failures of the key since it was last forgotten, or always 0 if the limiter's waits do
	// not depend on them.
	NumRequeues(key K) int
}

// A Pacer is a RateLimiter that leaves counting failures to its caller and tells a wait without spending anything. A
// [Queue] prefers it: the queue counts the failures itself, asks by its own clock, and spends only when the key really
// gets a new wait, so a key that waits already costs no token.
//
// All limiters of this package are Pacers; those of [MaxOf] and [WithMaxWait] are if their parts are. When is then the
// same in one step: it counts the failure, and is Wait and Spend at [time.Now]. Wait and Spend neither read nor change
// what When counts.
type Pacer[K comparable] interface {
	RateLimiter[K]
	// Wait returns how long a key waits that fails for the n-th time in a row, n counted from 1. It changes nothing.
	Wait(key K, failures int, now time.Time) time.Duration
	// Spend uses up what the limiter has a limited supply of (a token, a place in a window), after Wait for the same
	// key and time.
	Spend(key K, now time.Time)
}

// Limits of [DefaultRateLimiter], the same as client-go's DefaultTypedControllerRateLimiter.
const (
	DefaultBaseDelay = 5 * time.Millisecond
	DefaultMaxDelay  = 1000 * time.Second
	DefaultRate      = rate.Limit(10) // per second
	DefaultBurst     = 100
)

// DefaultMaxKeys is how many keys a limiter remembers by default.
const DefaultMaxKeys = 65536

// DefaultRateLimiter returns the longer wait of [Exponential], for each key, and [TokenBucket], for all keys together,
// with the default limits.
func DefaultRateLimiter[K comparable]() RateLimiter[K] {
	return MaxOf(
		Exponential[K](ExponentialConfig{}),
		TokenBucket[K](rate.NewLimiter(DefaultRate, DefaultBurst)),
	)
}

// orDefault returns the value of the field, or the default in place of zero. It panics when the value is negative, as
// no limiter can be made of it.
func orDefault[T int | time.Duration](field string, value, byDefault T) T {
	if value < 0 {
		panic(fmt.Sprintf("queue: %s is %v; it must be positive, or 0 for the default", field, value))
	}
	return cmp.Or(value, byDefault)
}
