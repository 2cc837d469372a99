package queue_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

var _ workqueue.TypedRateLimitingInterface[string] = (*queue.Queue[string])(nil)

// A sampleController works as Kubernetes' sample-controller does: it retries what fails, and gives up after a while.
type sampleController struct {
	queue workqueue.TypedRateLimitingInterface[string]
	fails map[string]int // how often a key is going to fail

	mu    sync.Mutex
	begin time.Time
	log   []string
}

func (c *sampleController) runWorker() {
	for c.processNextWorkItem() {
	}
}

func (c *sampleController) processNextWorkItem() bool {
	key, shutdown := c.queue.Get()
	if shutdown {
		return false
	}
	defer c.queue.Done(key)
	err := c.sync(key)
	switch {
	case err == nil:
		c.queue.Forget(key)
	case c.queue.NumRequeues(key) < 3:
		c.queue.AddRateLimited(key)
	default:
		c.queue.Forget(key)
		c.note("gave up", key)
	}
	return true
}

func (c *sampleController) sync(key string) error {
	c.note("sync", key)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fails[key]--
	if c.fails[key] >= 0 {
		return errBroken
	}
	return nil
}

func (c *sampleController) note(what, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, fmt.Sprintf("%v %s %s", time.Since(c.begin), what, key))
}

// A controller that was written for client-go's queue does the same with ours.
func TestAControllerOfClientGo(t *testing.T) {
	limiter := func() workqueue.TypedRateLimiter[string] {
		return workqueue.NewTypedItemExponentialFailureRateLimiter[string](time.Second, time.Minute)
	}
	queues := map[string]func() workqueue.TypedRateLimitingInterface[string]{
		"client-go": func() workqueue.TypedRateLimitingInterface[string] {
			return workqueue.NewTypedRateLimitingQueue(limiter())
		},
		"with client-go's limiter": func() workqueue.TypedRateLimitingInterface[string] {
			return queue.New(queue.Config[string]{RateLimiter: limiter()})
		},
		"with a limiter of ours": func() workqueue.TypedRateLimitingInterface[string] {
			return queue.New(queue.Config[string]{RateLimiter: backOff()})
		},
	}
	want := []string{
		"0s sync good", "0s sync bad", "0s sync flaky", "1s sync bad", "1s sync flaky",
		"3s sync bad", "5s sync late", "7s sync bad", "7s gave up bad", "10s sync bad",
	}
	for name, newQueue := range queues {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				controller := &sampleController{
					queue: newQueue(), begin: time.Now(), fails: map[string]int{"bad": 4, "flaky": 1},
				}
				for _, key := range []string{"good", "bad", "good", "flaky"} {
					controller.queue.Add(key)
				}
				controller.queue.AddAfter("late", 5*time.Second)
				var workers sync.WaitGroup
				workers.Go(controller.runWorker)
				time.Sleep(10 * time.Second)
				controller.queue.Add("bad")
				synctest.Wait()
				controller.queue.ShutDownWithDrain()
				controller.queue.ShutDown() // for client-go's, which leaves a goroutine otherwise
				workers.Wait()
				if !slices.Equal(controller.log, want) {
					t.Errorf("got  %q\nwant %q", controller.log, want)
				}
			})
		})
	}
}
