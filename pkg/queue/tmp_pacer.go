package queue

import "time"

type Order[K comparable] interface {
	Touch(item K)
	Push(item K)
	Len() int
	Pop() (item K)
}

type Pacer[K comparable] interface {
	RateLimiter[K]
	Wait(key K, failures int, now time.Time) time.Duration
	Spend(key K, now time.Time)
}

func (l *exponential[K]) Wait(key K, failures int, now time.Time) time.Duration {
	if l.base <= 0 {
		return 0
	}
	d := l.base << (failures - 1)
	if failures > 60 || d > l.limit || d <= 0 {
		return l.limit
	}
	return d
}
func (l *exponential[K]) Spend(key K, now time.Time) {}
