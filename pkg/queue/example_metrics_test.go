package queue_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// counters are Metrics that are safe for concurrent calls, as they must be.
type counters struct {
	added, taken, finished, retried atomic.Int64
}

func (c *counters) Added(_ queue.Priority, n int)          { c.added.Add(int64(n)) }
func (c *counters) Taken(queue.Priority, time.Duration)    { c.taken.Add(1) }
func (c *counters) Finished(queue.Priority, time.Duration) { c.finished.Add(1) }
func (c *counters) Retried(n int)                          { c.retried.Add(int64(n)) }
func (c *counters) Gauges(status queue.Status)             {}

func ExampleMetrics() {
	metrics := &counters{}
	q := queue.New(queue.Config[string]{Metrics: metrics})
	defer q.ShutDown()
	q.Add("default/web")
	q.Add("default/web") // waits already
	q.Add("default/db")

	item, _ := q.Take(context.Background())
	q.Finish(item, queue.RetryAfter(time.Hour, nil))
	fmt.Println("added", metrics.added.Load())
	fmt.Println("taken", metrics.taken.Load())
	fmt.Println("finished", metrics.finished.Load())
	fmt.Println("retried", metrics.retried.Load())
	// Output:
	// added 2
	// taken 1
	// finished 1
	// retried 1
}
