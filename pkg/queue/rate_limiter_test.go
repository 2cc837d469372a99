package queue_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
	"github.com/sluice-k8s/sluice/pkg/queue/queuetest"
)

// A limiter of ours is one of client-go's, and the other way round.
var (
	_ workqueue.TypedRateLimiter[string] = queue.RateLimiter[string](nil)
	_ queue.RateLimiter[string]          = workqueue.TypedRateLimiter[string](nil)
)

// limiters returns ours, each in all its variants.
func limiters() map[string]func() queue.RateLimiter[string] {
	exponential := func() queue.RateLimiter[string] { return queue.Exponential[string](queue.ExponentialConfig{}) }
	bucket := func() queue.RateLimiter[string] { return queue.TokenBucket[string](rate.NewLimiter(2, 3)) }
	window := func(c queue.WindowConfig) func() queue.RateLimiter[string] {
		return func() queue.RateLimiter[string] { return queue.WindowedCounter[string](c) }
	}
	return map[string]func() queue.RateLimiter[string]{
		"default":     queue.DefaultRateLimiter[string],
		"exponential": exponential,
		"jitter": func() queue.RateLimiter[string] {
			return queue.Exponential[string](queue.ExponentialConfig{FullJitter: true})
		},
		"fast and slow":       func() queue.RateLimiter[string] { return queue.FastSlow[string](queue.FastSlowConfig{}) },
		"bucket":              bucket,
		"endless bucket":      func() queue.RateLimiter[string] { return queue.TokenBucket[string](rate.NewLimiter(rate.Inf, 0)) },
		"window":              window(queue.WindowConfig{Limit: 3, Period: time.Minute}),
		"window for each key": window(queue.WindowConfig{Limit: 3, Period: time.Minute, PerKey: true}),
		"max of none":         func() queue.RateLimiter[string] { return queue.MaxOf[string]() },
		"max of windows": func() queue.RateLimiter[string] {
			return queue.MaxOf(exponential(), window(queue.WindowConfig{PerKey: true})(), window(queue.WindowConfig{Limit: 20})())
		},
		"max wait": func() queue.RateLimiter[string] {
			return queue.WithMaxWait(queue.MaxOf(exponential(), bucket()), time.Second)
		},
	}
}

// mixedLimiters returns ours and client-go's one within the other, which are no Pacers.
func mixedLimiters() map[string]func() queue.RateLimiter[string] {
	theirs := workqueue.DefaultTypedControllerRateLimiter[string]
	return map[string]func() queue.RateLimiter[string]{
		"ours of theirs":      func() queue.RateLimiter[string] { return queue.MaxOf[string](theirs(), theirs()) },
		"ours of both":        func() queue.RateLimiter[string] { return queue.MaxOf(queue.DefaultRateLimiter[string](), theirs()) },
		"theirs of ours":      func() queue.RateLimiter[string] { return workqueue.NewTypedMaxOfRateLimiter(limiters()["window"]()) },
		"max wait for theirs": func() queue.RateLimiter[string] { return queue.WithMaxWait[string](theirs(), time.Second) },
	}
}

func TestLimitersConform(t *testing.T) {
	for name, newLimiter := range limiters() {
		t.Run(name, func(t *testing.T) { queuetest.TestRateLimiter(t, newLimiter) })
	}
	for name, newLimiter := range mixedLimiters() {
		t.Run(name, func(t *testing.T) { queuetest.TestRateLimiter(t, newLimiter) })
	}
}

// A queue must be able to tell what it may count itself.
func TestPacersAreThoseWithoutForeignParts(t *testing.T) {
	for name, newLimiter := range limiters() {
		if _, ok := newLimiter().(queue.Pacer[string]); !ok {
			t.Errorf("%s is no Pacer", name)
		}
	}
	for name, newLimiter := range mixedLimiters() {
		if _, ok := newLimiter().(queue.Pacer[string]); ok {
			t.Errorf("%s is a Pacer, though client-go's count for themselves", name)
		}
	}
}

// When both have the same limits, they say the same.
func TestLimitersWaitAsThoseOfClientGo(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct{ ours, theirs queue.RateLimiter[string] }{
		"default": {queue.DefaultRateLimiter[string](), workqueue.DefaultTypedControllerRateLimiter[string]()},
		"exponential": {
			queue.Exponential[string](queue.ExponentialConfig{Base: 3 * ms, Max: time.Hour}),
			workqueue.NewTypedItemExponentialFailureRateLimiter[string](3*ms, time.Hour),
		},
		"fast and slow": {
			queue.FastSlow[string](queue.FastSlowConfig{Fast: ms, Slow: time.Minute, Attempts: 5}),
			workqueue.NewTypedItemFastSlowRateLimiter[string](ms, time.Minute, 5),
		},
		"bucket": {
			queue.TokenBucket[string](rate.NewLimiter(7, 3)),
			&workqueue.TypedBucketRateLimiter[string]{Limiter: rate.NewLimiter(7, 3)},
		},
		"max wait": {
			queue.WithMaxWait(queue.DefaultRateLimiter[string](), time.Second),
			workqueue.NewTypedWithMaxWaitRateLimiter(workqueue.DefaultTypedControllerRateLimiter[string](), time.Second),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for i := range 300 {
					key := []string{"a", "a", "b"}[i%3]
					if ours, theirs := test.ours.When(key), test.theirs.When(key); ours != theirs {
						t.Fatalf("failure %d waits %v, client-go's says %v", i, ours, theirs)
					}
					time.Sleep(ms)
				}
			})
		})
	}
}

func TestDefaultRateLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := queue.DefaultRateLimiter[string]()
		if got := limiter.When("a"); got != queue.DefaultBaseDelay {
			t.Errorf("the first wait is %v, want %v", got, queue.DefaultBaseDelay)
		}
		for range 18 {
			limiter.When("a")
		}
		if got := limiter.When("a"); got != queue.DefaultMaxDelay {
			t.Errorf("the 20th wait is %v, want %v", got, queue.DefaultMaxDelay)
		}
		for range queue.DefaultBurst {
			limiter.When("b")
			limiter.Forget("b")
		}
		if got, want := limiter.When("c"), 2100*time.Millisecond; got != want {
			t.Errorf("21 keys over the burst a key waits %v, want %v", got, want)
		}
	})
}

func TestBadConfigsPanicWithTheField(t *testing.T) {
	tests := map[string]func(){
		"ExponentialConfig.Max is -1ns":   func() { queue.Exponential[string](queue.ExponentialConfig{Max: -1}) },
		"ExponentialConfig.MaxKeys is -1": func() { queue.Exponential[string](queue.ExponentialConfig{MaxKeys: -1}) },
		"FastSlowConfig.Slow is -1ns":     func() { queue.FastSlow[string](queue.FastSlowConfig{Slow: -1}) },
		"FastSlowConfig.MaxKeys is -1":    func() { queue.FastSlow[string](queue.FastSlowConfig{MaxKeys: -1}) },
		"WindowConfig.Limit is -1":        func() { queue.WindowedCounter[string](queue.WindowConfig{Limit: -1}) },
		"WindowConfig.Period is -1ns":     func() { queue.WindowedCounter[string](queue.WindowConfig{Period: -1}) },
		"WindowConfig.MaxKeys is -1":      func() { queue.WindowedCounter[string](queue.WindowConfig{MaxKeys: -1}) },
		"TokenBucket has no limiter":      func() { queue.TokenBucket[string](nil) },
		"limiter 1 of MaxOf is nil":       func() { queue.MaxOf(queue.DefaultRateLimiter[string](), nil) },
		"WithMaxWait has no limiter":      func() { queue.WithMaxWait[string](nil, time.Second) },
		"wait of WithMaxWait is -1ns":     func() { queue.WithMaxWait(queue.DefaultRateLimiter[string](), -1) },
	}
	for want, construct := range tests {
		t.Run(want, func(t *testing.T) {
			defer func() {
				if got, _ := recover().(string); !strings.HasPrefix(got, "queue: ") || !strings.Contains(got, want) {
					t.Errorf("panics with %q, want %q in it", got, want)
				}
			}()
			construct()
		})
	}
}

func TestAddRateLimitedWaitsUntilTheKeyIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config[string]{
			RateLimiter: queue.Exponential[string](queue.ExponentialConfig{Base: time.Second, Max: time.Minute}),
		})
		var waits []time.Duration
		for range 4 {
			if len(waits) == 3 {
				q.Forget("a")
			}
			begin := time.Now()
			q.AddRateLimited("a")
			if _, err := q.Take(t.Context()); err != nil {
				t.Fatal(err)
			}
			q.Done("a")
			waits = append(waits, time.Since(begin))
		}
		if want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, time.Second}; !slices.Equal(waits, want) {
			t.Errorf("ran after %v, want %v", waits, want)
		}
	})
}

func TestAddRateLimitedAfterShutDownCountsNothing(t *testing.T) {
	limiter := workqueue.DefaultTypedControllerRateLimiter[string]()
	q := queue.New(queue.Config[string]{RateLimiter: limiter})
	q.ShutDown()
	q.AddRateLimited("a")
	if got := limiter.NumRequeues("a"); got != 0 {
		t.Errorf("%d failures counted, want none", got)
	}
}
