package queue_test

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A limiter of ours is one of client-go's, and the other way round.
var (
	_ workqueue.TypedRateLimiter[string] = queue.RateLimiter[string](nil)
	_ queue.RateLimiter[string]          = workqueue.TypedRateLimiter[string](nil)
)

func TestExponential(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct {
		base, limit time.Duration
		want        []time.Duration
	}{
		"doubles up to the limit": {5 * ms, 30 * ms, []time.Duration{5 * ms, 10 * ms, 20 * ms, 30 * ms, 30 * ms}},
		"limit below base":        {5 * ms, 2 * ms, []time.Duration{2 * ms, 2 * ms}},
		"no base, no wait":        {0, 30 * ms, []time.Duration{0, 0, 0}},
		"negative base, no wait":  {-ms, 30 * ms, []time.Duration{0, 0, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			limiter := queue.Exponential[string](test.base, test.limit)
			var got []time.Duration
			for range test.want {
				got = append(got, limiter.When("a"))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("waits are %v, want %v", got, test.want)
			}
		})
	}
}

func TestExponentialDoesNotOverflow(t *testing.T) {
	limiter := queue.Exponential[string](time.Millisecond, time.Hour)
	zero := queue.Exponential[string](0, time.Hour)
	endless := queue.Exponential[string](time.Millisecond, math.MaxInt64)
	for n := range 3000 {
		limiter.When("a")
		zero.When("a")
		if got := endless.When("a"); got <= 0 {
			t.Fatalf("without a limit failure %d waits %v", n, got)
		}
	}
	if got := limiter.When("a"); got != time.Hour {
		t.Errorf("after 3000 failures the wait is %v, want the limit", got)
	}
	if got := zero.When("a"); got != 0 {
		t.Errorf("after 3000 failures without a base the wait is %v, want 0", got)
	}
}

func TestExponentialCountsEachKey(t *testing.T) {
	limiter := queue.Exponential[string](time.Second, time.Hour)
	limiter.When("a")
	limiter.When("a")
	if got := limiter.When("b"); got != time.Second {
		t.Errorf("first failure of b waits %v, want 1s", got)
	}
	if got := limiter.NumRequeues("a"); got != 2 {
		t.Errorf("a failed %d times, want 2", got)
	}
	limiter.Forget("a")
	if got := limiter.NumRequeues("a"); got != 0 {
		t.Errorf("a failed %d times after Forget, want 0", got)
	}
	if got := limiter.When("a"); got != time.Second {
		t.Errorf("first failure of a after Forget waits %v, want 1s", got)
	}
}

func TestTokenBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := queue.TokenBucket[string](rate.NewLimiter(10, 2))
		for i, want := range []time.Duration{0, 0, 100 * time.Millisecond, 200 * time.Millisecond} {
			if got := limiter.When("any key"); got != want {
				t.Errorf("wait %d is %v, want %v", i, got, want)
			}
		}
	})
}

func TestMaxOfTakesTheLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := queue.MaxOf(
			queue.Exponential[string](150*time.Millisecond, time.Hour),
			queue.TokenBucket[string](rate.NewLimiter(1, 1)),
		)
		if got := limiter.When("a"); got != 150*time.Millisecond {
			t.Errorf("first wait is %v, want the back-off's", got)
		}
		if got := limiter.When("a"); got != time.Second {
			t.Errorf("second wait is %v, want the bucket's", got)
		}
		if got := limiter.NumRequeues("a"); got != 2 {
			t.Errorf("a failed %d times, want 2", got)
		}
		limiter.Forget("a")
		if got := limiter.NumRequeues("a"); got != 0 {
			t.Errorf("a failed %d times after Forget, want 0", got)
		}
	})
}

func TestAddRateLimitedWaitsAndForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config[string]{RateLimiter: queue.Exponential[string](time.Second, time.Minute)})
		start := time.Now()
		for _, want := range []time.Duration{time.Second, 3 * time.Second, 7 * time.Second} {
			q.AddRateLimited("a")
			if _, err := q.Take(t.Context()); err != nil {
				t.Fatal(err)
			}
			q.Done("a")
			if got := time.Since(start); got != want {
				t.Errorf("ran after %v, want %v", got, want)
			}
		}
		if got := q.NumRequeues("a"); got != 3 {
			t.Errorf("a failed %d times, want 3", got)
		}
		q.Forget("a")
		if got := q.NumRequeues("a"); got != 0 {
			t.Errorf("a failed %d times after Forget, want 0", got)
		}
	})
}

func TestAddRateLimitedAfterShutDownCountsNothing(t *testing.T) {
	q := queue.New(queue.Config[string]{})
	q.ShutDown()
	q.AddRateLimited("a")
	if got := q.NumRequeues("a"); got != 0 {
		t.Errorf("%d failures counted, want none", got)
	}
}

func TestDefaultRateLimiter(t *testing.T) {
	limiter := queue.DefaultRateLimiter[string]()
	if got := limiter.When("a"); got != queue.DefaultBaseDelay {
		t.Errorf("first wait is %v, want %v", got, queue.DefaultBaseDelay)
	}
}
