package queuetest

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestLimitersOfClientGoConform(t *testing.T) {
	const ms = time.Millisecond
	limiters := map[string]func() queue.RateLimiter[string]{
		"default": func() queue.RateLimiter[string] { return workqueue.DefaultTypedControllerRateLimiter[string]() },
		"exponential": func() queue.RateLimiter[string] {
			return workqueue.NewTypedItemExponentialFailureRateLimiter[string](ms, time.Hour)
		},
		"fast and slow": func() queue.RateLimiter[string] {
			return workqueue.NewTypedItemFastSlowRateLimiter[string](ms, time.Minute, 3)
		},
		"bucket": func() queue.RateLimiter[string] {
			return &workqueue.TypedBucketRateLimiter[string]{Limiter: rate.NewLimiter(2, 3)}
		},
		"max wait": func() queue.RateLimiter[string] {
			return workqueue.NewTypedWithMaxWaitRateLimiter(workqueue.DefaultTypedControllerRateLimiter[string](), time.Second)
		},
	}
	for name, newLimiter := range limiters {
		t.Run(name, func(t *testing.T) { TestRateLimiter(t, newLimiter) })
	}
}

// A limiter conforms, as a Pacer that waits a second for each failure, until one of its parts is replaced.
type limiter struct {
	mu       sync.Mutex
	failures map[string]int

	wait func(key string, failures int, now time.Time) time.Duration

	// These replace the methods. The first three are called under the lock.
	when        func(key string) time.Duration
	forget      func(key string)
	numRequeues func(key string) int
	spend       func(key string, now time.Time)
}

func newLimiter(breakIt func(*limiter)) *limiter {
	l := &limiter{failures: make(map[string]int)}
	l.wait = func(_ string, failures int, _ time.Time) time.Duration {
		return time.Duration(min(failures, 1000)) * time.Second
	}
	l.when = func(key string) time.Duration {
		l.failures[key]++
		return l.wait(key, l.failures[key], time.Now())
	}
	l.forget = func(key string) { delete(l.failures, key) }
	l.numRequeues = func(key string) int { return l.failures[key] }
	l.spend = func(string, time.Time) {}
	breakIt(l)
	return l
}

func (l *limiter) When(key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.when(key)
}

func (l *limiter) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(key)
}

func (l *limiter) NumRequeues(key string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.numRequeues(key)
}

func (l *limiter) Wait(key string, failures int, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wait(key, failures, now)
}

func (l *limiter) Spend(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spend(key, now)
}

// plain hides that a limiter is a Pacer.
type plain struct{ queue.RateLimiter[string] }

// brokenPromises returns those that a check finds broken.
func brokenPromises(t *testing.T, checks []check) []string {
	t.Helper()
	var broken []string
	for _, check := range checks {
		synctest.Test(t, func(t *testing.T) {
			if err := check.broken(); err != nil {
				t.Logf("%s: %v", check.promise, err)
				broken = append(broken, check.promise)
			}
		})
	}
	return broken
}

func TestBrokenLimitersAreFound(t *testing.T) {
	tests := map[string]struct {
		breakIt func(*limiter)
		want    string // a promise that is broken, maybe beside others
	}{
		"nothing is broken": {func(*limiter) {}, ""},
		"negative after a while": {func(l *limiter) {
			l.when = func(key string) time.Duration {
				l.failures[key]++
				return 1 << (l.failures[key] % 64)
			}
		}, "a wait is never negative"},
		"counts twice": {func(l *limiter) {
			l.when = func(key string) time.Duration { l.failures[key] += 2; return 0 }
		}, "When counts"},
		"stops counting": {func(l *limiter) {
			l.numRequeues = func(key string) int { return min(l.failures[key], 50) }
		}, "When counts"},
		"counts from the second on": {func(l *limiter) {
			l.numRequeues = func(key string) int { return max(l.failures[key]-1, 0) }
		}, "When counts"},
		"one count for all": {func(l *limiter) {
			l.numRequeues = func(string) int { return l.failures["a"] + l.failures["b"] }
		}, "each key counts alone"},
		"Forget forgets all": {func(l *limiter) {
			l.forget = func(string) { clear(l.failures) }
		}, "each key counts alone"},
		"Forget does nothing": {func(l *limiter) { l.forget = func(string) {} }, "Forget ends the count"},
		"Forget steps back":   {func(l *limiter) { l.forget = func(key string) { l.failures[key]-- } }, "Forget ends the count"},
		"Forget only tells so": {func(l *limiter) {
			total := make(map[string]int)
			when := l.when
			l.when = func(key string) time.Duration {
				total[key]++
				when(key)
				return time.Duration(total[key]) * time.Second
			}
		}, "Forget ends the series of failures"},
		"Forget counts": {func(l *limiter) { l.forget = func(key string) { l.failures[key] = -1 } }, "an unknown key has no failures"},
		"Forget of an unknown key begins with one": {func(l *limiter) {
			l.forget = func(key string) {
				if l.failures[key] == 0 {
					l.failures[key] = 2
				}
				l.failures[key]--
			}
		}, "an unknown key has no failures"},
		"Wait counts": {func(l *limiter) {
			asked := 0
			l.wait = func(string, int, time.Time) time.Duration { asked++; return time.Duration(asked) }
		}, "Wait changes nothing"},
		"Wait makes later waits longer": {func(l *limiter) {
			asked := make(map[string]bool)
			l.wait = func(key string, failures int, _ time.Time) time.Duration {
				asked[key] = true
				return time.Duration(len(asked)) * time.Second
			}
		}, "Wait changes nothing"},
		"Wait counts from 0": {func(l *limiter) {
			l.when = func(key string) time.Duration { l.failures[key]++; return l.wait(key, l.failures[key]-1, time.Now()) }
		}, "When is counting, Wait and Spend"},
		"When does not spend": {func(l *limiter) {
			spent := 0
			l.wait = func(string, int, time.Time) time.Duration { return time.Duration(spent) }
			l.spend = func(string, time.Time) { spent++ }
		}, "When is counting, Wait and Spend"},
		"Wait goes by the count of When": {func(l *limiter) {
			l.wait = func(key string, _ int, _ time.Time) time.Duration {
				return time.Duration(l.failures[key]) * time.Second
			}
		}, "When is counting, Wait and Spend"},
		"Spend counts": {func(l *limiter) { l.spend = func(key string, _ time.Time) { l.failures[key]++ } }, "Wait and Spend leave counting to the caller"},
		"Spend forgets": {func(l *limiter) {
			l.spend = func(key string, _ time.Time) { delete(l.failures, key) }
		}, "Wait and Spend leave counting to the caller"},
		"Wait overflows": {func(l *limiter) {
			l.wait = func(_ string, failures int, _ time.Time) time.Duration { return time.Duration(failures) * time.Second }
		}, "Wait does not overflow"},
		"Wait overflows between": {func(l *limiter) {
			l.wait = func(_ string, failures int, _ time.Time) time.Duration { return 1 << (failures % 64) }
		}, "Wait does not overflow"},
		"what is spent overflows": {func(l *limiter) {
			spent := time.Duration(1)
			l.wait = func(string, int, time.Time) time.Duration { return spent }
			l.spend = func(string, time.Time) { spent *= 3 }
		}, "Wait does not overflow"},
		"places of the future are in the past": {func(l *limiter) {
			var last time.Time
			l.wait = func(_ string, _ int, now time.Time) time.Duration {
				if last.IsZero() {
					return 0
				}
				return now.Sub(last)
			}
			l.spend = func(_ string, now time.Time) { last = now }
		}, "the clock may step back"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := brokenPromises(t, rateLimiterChecks(func() queue.RateLimiter[string] { return newLimiter(test.breakIt) }))
			if test.want == "" && len(got) > 0 || test.want != "" && !slices.Contains(got, test.want) {
				t.Errorf("broken are %q, want %q among them", got, test.want)
			}
		})
	}
}

// Limiters that are no Pacers are held to what they promise, and to no more.
func TestPlainLimitersAreChecked(t *testing.T) {
	overflows := func(l *limiter) {
		l.wait = func(_ string, failures int, _ time.Time) time.Duration { return 1 << (failures % 64) }
	}
	got := brokenPromises(t, rateLimiterChecks(func() queue.RateLimiter[string] { return plain{newLimiter(overflows)} }))
	if want := []string{"a wait is never negative"}; !slices.Equal(got, want) {
		t.Errorf("broken are %q, want %q", got, want)
	}
}

func TestReusedLimitersAreFound(t *testing.T) {
	one := queue.Exponential[string](queue.ExponentialConfig{})
	got := brokenPromises(t, rateLimiterChecks(func() queue.RateLimiter[string] { return one }))
	if !slices.Contains(got, "each limiter is new") {
		t.Errorf("broken are %q, want that the limiter is not new among them", got)
	}
}

// A racy limiter loses counts though each of its steps is atomic, so the race detector says nothing.
type racy struct{ counts sync.Map }

func (r *racy) count(key string) *atomic.Int64 {
	count, _ := r.counts.LoadOrStore(key, new(atomic.Int64))
	return count.(*atomic.Int64)
}

func (r *racy) When(key string) time.Duration {
	n := r.count(key).Load()
	runtime.Gosched()
	r.count(key).Store(n + 1)
	return 0
}

func (r *racy) Forget(key string)          { r.count(key).Store(0) }
func (r *racy) NumRequeues(key string) int { return int(r.count(key).Load()) }

func TestLostCountsAreFound(t *testing.T) {
	got := brokenPromises(t, rateLimiterChecks(func() queue.RateLimiter[string] { return new(racy) }))
	if want := []string{"calls may be concurrent"}; !slices.Equal(got, want) {
		t.Errorf("broken are %q, want %q", got, want)
	}
}
