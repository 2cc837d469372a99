package queue_test

import (
	"context"
	"fmt"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A worker takes a key, works on it, and says that it is done.
func Example() {
	q := queue.New(queue.Config[string]{})
	q.Add("default/web")
	q.Add("default/db")
	q.Add("default/web") // waits already: one run
	q.ShutDown()

	for {
		item, err := q.Take(context.Background())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("reconcile", item.Key)
		q.Done(item.Key)
	}
	// Output:
	// reconcile default/web
	// reconcile default/db
	// queue: shut down
}
