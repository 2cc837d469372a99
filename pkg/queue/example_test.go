package queue_test

import (
	"context"
	"fmt"

	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A worker takes a key, works on it, and says how that went. Any number of them may do so.
func Example() {
	q := queue.New(queue.Config[string]{})
	q.Add("default/web")
	q.Add("default/db")
	q.Add("default/web") // waits already: one run
	q.ShutDown()         // what is ready is still handed out

	for {
		item, err := q.Take(context.Background())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("reconcile", item.Key)
		q.Finish(item, queue.Success())
	}
	// Output:
	// reconcile default/web
	// reconcile default/db
	// queue: shut down
}

// A controller that was written for client-go's work queue takes this one as it is.
func Example_clientGo() {
	var q workqueue.TypedRateLimitingInterface[string] = queue.New(queue.Config[string]{})
	q.Add("default/web")
	go q.ShutDownWithDrain()

	for {
		key, shutdown := q.Get()
		if shutdown {
			return
		}
		fmt.Println("reconcile", key)
		q.Forget(key) // or q.AddRateLimited(key) when it failed
		q.Done(key)
	}
	// Output:
	// reconcile default/web
}
