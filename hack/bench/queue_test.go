package bench

import (
	"context"
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A workQueue is what both implementations can do.
type workQueue interface {
	Add(key types.NamespacedName)
	AddAfter(key types.NamespacedName, delay time.Duration)
	AddRateLimited(key types.NamespacedName)
	Forget(key types.NamespacedName)
	Done(key types.NamespacedName)
	ShutDown()
	take() types.NamespacedName
}

type sluiceQueue struct {
	*queue.Queue[types.NamespacedName]
}

func (q sluiceQueue) take() types.NamespacedName {
	item, _ := q.Take(context.Background())
	return item.Key
}

type clientGoQueue struct {
	workqueue.TypedRateLimitingInterface[types.NamespacedName]
}

func (q clientGoQueue) take() types.NamespacedName {
	key, _ := q.Get()
	return key
}

// eachQueue runs a workload on each implementation.
func eachQueue(b *testing.B, work func(b *testing.B, q workQueue)) {
	b.Helper()
	noWait := func() queue.RateLimiter[types.NamespacedName] { return queue.Exponential[types.NamespacedName](0, 0) }
	implementations := map[string]func() workQueue{
		"sluice": func() workQueue {
			return sluiceQueue{queue.New(queue.Config[types.NamespacedName]{RateLimiter: noWait()})}
		},
		"client-go": func() workQueue {
			return clientGoQueue{workqueue.NewTypedRateLimitingQueue(workqueue.TypedRateLimiter[types.NamespacedName](noWait()))}
		},
	}
	for _, name := range []string{"sluice", "client-go"} {
		b.Run("impl="+name, func(b *testing.B) {
			q := implementations[name]()
			defer q.ShutDown()
			b.ReportAllocs()
			work(b, q)
		})
	}
}

func keys(n int) []types.NamespacedName {
	keys := make([]types.NamespacedName, n)
	for i := range keys {
		keys[i] = types.NamespacedName{Namespace: "namespace-" + strconv.Itoa(i%100), Name: "object-" + strconv.Itoa(i)}
	}
	return keys
}

// cycle takes a key and checks that it is the one expected.
func cycle(b *testing.B, q workQueue, want types.NamespacedName) {
	b.Helper()
	got := q.take()
	if got != want {
		b.Fatalf("took %v, want %v", got, want)
	}
	q.Done(got)
}

func BenchmarkQueueAddGetDone(b *testing.B) {
	eachQueue(b, func(b *testing.B, q workQueue) {
		keys := keys(1000)
		for i := 0; b.Loop(); i++ {
			key := keys[i%len(keys)]
			q.Add(key)
			cycle(b, q, key)
		}
	})
}

func BenchmarkQueueDeepBacklog(b *testing.B) {
	eachQueue(b, func(b *testing.B, q workQueue) {
		keys := keys(100_000)
		for _, key := range keys {
			q.Add(key)
		}
		for i := 0; b.Loop(); i++ {
			key := keys[i%len(keys)]
			cycle(b, q, key)
			q.Add(key)
		}
	})
}

func BenchmarkQueueDuplicateAdd(b *testing.B) {
	eachQueue(b, func(b *testing.B, q workQueue) {
		key := keys(1)[0]
		q.Add(key)
		for b.Loop() {
			q.Add(key)
		}
		cycle(b, q, key)
	})
}

func BenchmarkQueueRetryCycle(b *testing.B) {
	eachQueue(b, func(b *testing.B, q workQueue) {
		keys := keys(1000)
		for i := 0; b.Loop(); i++ {
			key := keys[i%len(keys)]
			q.AddRateLimited(key)
			cycle(b, q, key)
			q.Forget(key)
		}
	})
}

func BenchmarkQueueAddAfter(b *testing.B) {
	eachQueue(b, func(b *testing.B, q workQueue) {
		keys := keys(100_000)
		for i := 0; b.Loop(); i++ {
			q.AddAfter(keys[i%len(keys)], time.Hour+time.Duration(i%1000)*time.Second)
		}
	})
}
