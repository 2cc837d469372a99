package queue_test

import (
	"fmt"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A key that fails waits longer each time, until it is forgotten.
func ExampleExponential() {
	limiter := queue.Exponential[string](queue.ExponentialConfig{Base: 5 * time.Millisecond, Max: time.Second})
	fmt.Println(limiter.When("default/web"), limiter.When("default/web"), limiter.When("default/web"))
	limiter.Forget("default/web")
	fmt.Println(limiter.When("default/web"))
	// Output:
	// 5ms 10ms 20ms
	// 5ms
}

// Keys that failed together come back spread over the time.
func ExampleExponential_jitter() {
	limiter := queue.Exponential[string](queue.ExponentialConfig{Base: time.Second, FullJitter: true})
	for _, key := range []string{"default/web", "default/db", "default/cache"} {
		fmt.Println(limiter.When(key) <= time.Second)
	}
	// Output:
	// true
	// true
	// true
}

// Most failures are over in no time. Who fails more often is given time.
func ExampleFastSlow() {
	limiter := queue.FastSlow[string](queue.FastSlowConfig{Fast: 50 * time.Millisecond, Slow: time.Minute, Attempts: 2})
	fmt.Println(limiter.When("default/web"), limiter.When("default/web"), limiter.When("default/web"))
	// Output:
	// 50ms 50ms 1m0s
}

// Two keys pass at once, then one each second. Who asks for a wait without taking it spends no token.
func ExampleTokenBucket() {
	limiter := queue.TokenBucket[string](rate.NewLimiter(1, 2)).(queue.Pacer[string])
	now := time.Now()
	for _, key := range []string{"default/web", "default/db", "default/cache"} {
		fmt.Println(key, limiter.Wait(key, 1, now))
		limiter.Spend(key, now)
	}
	fmt.Println(limiter.Wait("default/log", 1, now), limiter.Wait("default/log", 1, now))
	// Output:
	// default/web 0s
	// default/db 0s
	// default/cache 1s
	// 2s 2s
}

// An API that is called for each key allows two calls for it in any hour.
func ExampleWindowedCounter() {
	limiter := queue.WindowedCounter[string](queue.WindowConfig{Limit: 2, Period: time.Hour, PerKey: true})
	for _, key := range []string{"default/web", "default/web", "default/web", "default/db"} {
		fmt.Println(key, limiter.When(key).Round(time.Minute))
	}
	// Output:
	// default/web 0s
	// default/web 0s
	// default/web 1h0m0s
	// default/db 0s
}

// Each key backs off, all together pass one by one, and client-go's limiters take part.
func ExampleMaxOf() {
	limiter := queue.MaxOf(
		queue.Exponential[string](queue.ExponentialConfig{Base: 5 * time.Millisecond}),
		queue.WindowedCounter[string](queue.WindowConfig{Limit: 1, Period: time.Hour}),
		workqueue.NewTypedItemFastSlowRateLimiter[string](time.Second, time.Minute, 3),
	)
	fmt.Println(limiter.When("default/web").Round(time.Second), limiter.When("default/db").Round(time.Minute))
	// Output: 1s 1h0m0s
}

// However long a limiter of client-go's would wait, a key is tried every minute.
func ExampleWithMaxWait() {
	theirs := workqueue.NewTypedItemExponentialFailureRateLimiter[string](40*time.Second, time.Hour)
	limiter := queue.WithMaxWait(theirs, time.Minute)
	fmt.Println(limiter.When("default/web"), limiter.When("default/web"))
	// Output: 40s 1m0s
}

// A limiter of this package serves a queue of client-go's.
func ExampleRateLimiter() {
	q := workqueue.NewTypedRateLimitingQueue(queue.DefaultRateLimiter[string]())
	defer q.ShutDown()
	q.AddRateLimited("default/web")
	key, _ := q.Get()
	fmt.Println(key, "failed", q.NumRequeues(key), "time")
	// Output: default/web failed 1 time
}
