package queue_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// Namespaces take turns, so that one with very many objects does not hold up the others.
func ExampleConfig_tenant() {
	q := queue.New(queue.Config[string]{
		Tenant: func(key string) string {
			namespace, _, _ := strings.Cut(key, "/")
			return namespace
		},
	})
	for _, key := range []string{"large/a", "large/b", "large/c", "small/a"} {
		q.Add(key)
	}

	for q.Len() > 0 {
		item, _ := q.Take(context.Background())
		fmt.Println(item.Key)
		q.Finish(item, queue.Success())
	}
	// Output:
	// large/a
	// small/a
	// large/b
	// large/c
}

// A single event runs at once. A burst of them is one run, when it is over.
func ExampleHotKeys() {
	clock := clocktesting.NewFakeClock(time.Now())
	q := queue.New(queue.Config[string]{
		Clock:   clock,
		HotKeys: queue.HotKeys{Quiet: time.Second, MaxWait: 10 * time.Second},
	})
	for second := range 20 {
		for range 10 { // events in each of the first seconds
			if second < 3 {
				q.AddWith("default/endpoints", queue.AddOptions{})
			}
			if q.Len() > 0 {
				item, _ := q.Take(context.Background())
				fmt.Println("run in second", second)
				q.Finish(item, queue.Success())
			}
			clock.Step(100 * time.Millisecond)
		}
	}
	// Output:
	// run in second 0
	// run in second 3
}

// A worker is told why it runs.
func ExampleTriggers() {
	q := queue.New(queue.Config[string]{Triggers: 1}) // the first and the last
	q.AddWith("default/web", queue.AddOptions{Trigger: queue.Trigger{Source: "deployments", Cause: "created"}})
	for _, pod := range []string{"web-1", "web-2", "web-3"} {
		q.AddWith("default/web", queue.AddOptions{
			Trigger: queue.Trigger{Source: "pods", Cause: "updated", Object: pod},
		})
	}

	item, _ := q.Take(context.Background())
	fmt.Println(item.Triggers)
	q.Finish(item, queue.Success())
	// Output:
	// deployments created, …, pods web-3 updated (4 in all)
}
