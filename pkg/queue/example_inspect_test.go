package queue_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// Why is my object not reconciled?
func ExampleQueue_Find() {
	clock := clocktesting.NewFakeClock(time.Now())
	q := queue.New(queue.Config[string]{Clock: clock})
	q.Add("default/web")
	item, _ := q.Take(context.Background())
	q.Finish(item, queue.RetryAfter(time.Minute, errors.New("no such image")))
	clock.Step(20 * time.Second)

	if info, found := q.Find("default/web"); found {
		fmt.Println(info.Why())
	}
	_, found := q.Find("default/db")
	fmt.Println(found) // nothing to do for it
	// Output:
	// waits 40s for its back-off; failures in a row: 1; last error: "no such image"
	// false
}

// What is going on in the queue? A limit keeps the answer short; the numbers are of all keys.
func ExampleQueue_Inspect() {
	clock := clocktesting.NewFakeClock(time.Now())
	q := queue.New(queue.Config[string]{Clock: clock, Timed: true})
	for _, key := range []string{"default/a", "default/b", "default/c"} {
		q.Add(key)
	}
	_, _ = q.Take(context.Background()) // and does not come back
	clock.Step(time.Minute)

	snapshot := q.Inspect(1)
	fmt.Printf("%d ready, %d running\n", snapshot.Status.Ready, snapshot.Status.Running)
	for _, info := range append(snapshot.Running, snapshot.Ready...) {
		fmt.Println(info.Key, info.Why())
	}
	// Output:
	// 2 ready, 1 running
	// default/a running for 1m0s
	// default/b ready for 1m0s, waits for a worker in class normal
}
