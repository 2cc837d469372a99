package queue_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// The first pass over all objects does not hold up what a user just changed.
func ExampleQueue_AddWith() {
	q := queue.New(queue.Config[string]{})
	q.AddWith("default/a", queue.AddOptions{Priority: queue.Low})
	q.AddWith("default/b", queue.AddOptions{Priority: queue.Low})
	q.AddWith("default/c", queue.AddOptions{})
	q.AddWith("default/b", queue.AddOptions{Priority: queue.High}) // moves up

	for q.Len() > 0 {
		item, _ := q.Take(context.Background())
		fmt.Println(item.Key, item.Priority)
		q.Finish(item, queue.Success())
	}
	// Output:
	// default/b high
	// default/c normal
	// default/a low
}

// A key that fails waits for its retry whatever happens, unless an event says that it is worth a run now, as a new spec
// may be.
func ExampleQueue_AddWith_now() {
	q := queue.New(queue.Config[string]{})
	q.Add("default/web")
	item, _ := q.Take(context.Background())
	q.Finish(item, queue.RetryAfter(time.Minute, errors.New("no such image")))

	q.AddWith("default/web", queue.AddOptions{}) // its status changed
	fmt.Println(q.Len(), "ready")
	q.AddWith("default/web", queue.AddOptions{Now: true}) // its spec changed
	fmt.Println(q.Len(), "ready")
	// Output:
	// 0 ready
	// 1 ready
}

// Of several delays the earliest counts, and any add overtakes a delay.
func ExampleQueue_AddAfter() {
	clock := clocktesting.NewFakeClock(time.Now())
	q := queue.New(queue.Config[string]{Clock: clock})
	q.AddAfter("default/web", time.Hour)
	q.AddAfter("default/web", time.Minute)
	q.AddAfter("default/db", time.Hour)
	q.Add("default/db")

	fmt.Println(q.Len(), "ready")
	clock.Step(time.Minute)
	fmt.Println(q.Len(), "ready")
	// Output:
	// 1 ready
	// 2 ready
}

// The object is gone, so that the resync that was planned for it is of no use.
func ExampleQueue_Cancel() {
	q := queue.New(queue.Config[string]{})
	q.AddAfter("default/web", 10*time.Hour)
	fmt.Println(q.Cancel("default/web"))
	fmt.Println(q.Cancel("default/web"))
	// Output:
	// true
	// false
}

// What becomes of a key follows from how its run ended.
func ExampleQueue_Finish() {
	clock := clocktesting.NewFakeClock(time.Now())
	q := queue.New(queue.Config[string]{Clock: clock})
	run := func(outcome queue.Outcome) {
		item, _ := q.Take(context.Background())
		q.Finish(item, outcome)
		info, _ := q.Find(item.Key)
		fmt.Printf("attempt %d, then %s for %v\n", item.Attempt, info.State, info.Due.Sub(clock.Now()))
		clock.SetTime(info.Due)
	}

	q.Add("default/web")
	run(queue.Retry(errors.New("conflict"))) // waits as the rate limiter says
	run(queue.Retry(errors.New("conflict")))
	run(queue.RetryAfter(time.Minute, errors.New("too many requests")))
	run(queue.RequeueAfter(time.Hour)) // a success
	run(queue.RequeueAfter(time.Hour))
	// Output:
	// attempt 1, then delayed for 5ms
	// attempt 2, then delayed for 10ms
	// attempt 3, then delayed for 1m0s
	// attempt 4, then delayed for 1h0m0s
	// attempt 1, then delayed for 1h0m0s
}

// A worker that has more to do takes the next key while it ends the run of the one before.
func ExampleQueue_FinishAndTake() {
	q := queue.New(queue.Config[string]{})
	q.Add("default/web")
	q.Add("default/db")

	item, _ := q.Take(context.Background())
	for more := true; more; more = q.FinishAndTake(&item, queue.Success()) {
		fmt.Println(item.Key)
	}
	// Output:
	// default/web
	// default/db
}

// A key that fails too often is put aside until somebody has looked.
func ExampleQueue_Parked() {
	q := queue.New(queue.Config[string]{MaxRetries: 2})
	q.Add("default/web")
	for q.Len() > 0 {
		item, _ := q.Take(context.Background())
		fmt.Println("attempt", item.Attempt)
		q.Finish(item, queue.RetryAfter(0, errors.New("no such image")))
	}
	for _, info := range q.Parked() {
		fmt.Printf("%s failed %d times: %v\n", info.Key, info.Failures, info.LastErr)
	}

	q.Replay("default/web") // the image is there now
	item, _ := q.Take(context.Background())
	fmt.Println("attempt", item.Attempt)
	q.Finish(item, queue.Success())
	// Output:
	// attempt 1
	// attempt 2
	// attempt 3
	// default/web failed 3 times: no such image
	// attempt 1
}

// Before a controller stops, its workers finish what is ready. One of them does not come back here.
func ExampleQueue_Drain() {
	q := queue.New(queue.Config[string]{})
	q.Add("default/web")
	item, _ := q.Take(context.Background())

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(q.Drain(ctx))

	q.Finish(item, queue.Success())
	fmt.Println(q.Drain(context.Background()))
	// Output:
	// queue: drain: 0 keys ready, 1 running: context deadline exceeded
	// <nil>
}
