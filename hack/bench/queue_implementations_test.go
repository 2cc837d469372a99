package bench

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
	"github.com/sluice-k8s/sluice/pkg/queue/clientgo"
)

// All queues retry by an exponential limiter for each key with these bounds. The base is the shortest delay there is.
const (
	retryBase = time.Nanosecond
	retryMax  = 1000 * time.Second
)

// queueName is what names a queue's metrics. Queues without a name have none.
const queueName = "bench"

type implementation[K comparable] struct {
	name            string
	open            func() workQueue[K]
	openWithMetrics func(workqueue.MetricsProvider) workQueue[K] // nil when there is no way to
	isFloor         bool
}

func implementations[K comparable]() []implementation[K] {
	return []implementation[K]{
		{name: "sluice", open: newSluice[K], openWithMetrics: newSluiceWithMetrics[K]},
		{name: "sluice-native", open: newNative[K], openWithMetrics: newNativeWithMetrics[K]},
		{name: "client-go", open: newClientGo[K], openWithMetrics: newClientGoWithMetrics[K]},
		{name: "controller-runtime", open: newControllerRuntime[K], openWithMetrics: newControllerRuntimeWithMetrics[K]},
		{name: "floor", open: newFloor[K], isFloor: true},
	}
}

// newSluice returns Sluice's queue as it stands in for client-go's.
func newSluice[K comparable]() workQueue[K] {
	return sluiceQueue[K](nil)
}

func newSluiceWithMetrics[K comparable](provider workqueue.MetricsProvider) workQueue[K] {
	return sluiceQueue[K](clientgo.Metrics(provider, queueName))
}

func sluiceQueue[K comparable](metrics queue.Metrics) *queue.Queue[K] {
	limiter := queue.Exponential[K](queue.ExponentialConfig{Base: retryBase, Max: retryMax})
	return queue.New(queue.Config[K]{Name: queueName, RateLimiter: limiter, Metrics: metrics})
}

// A native is Sluice's queue by its own calls, for one worker: its items carry handles.
type native[K comparable] struct {
	*queue.Queue[K]
	item queue.Item[K] // that was taken last
}

func newNative[K comparable]() workQueue[K] {
	return &native[K]{Queue: sluiceQueue[K](nil)}
}

func newNativeWithMetrics[K comparable](provider workqueue.MetricsProvider) workQueue[K] {
	return &native[K]{Queue: sluiceQueue[K](clientgo.Metrics(provider, queueName))}
}

func (q *native[K]) forWorker() workQueue[K] { return &native[K]{Queue: q.Queue} }

func (q *native[K]) Add(key K) { q.AddWith(key, queue.AddOptions{}) }

func (q *native[K]) Get() (key K, shutDown bool) {
	var err error
	q.item, err = q.Take(context.Background())
	return q.item.Key, err != nil
}

// Done also forgets failures.
func (q *native[K]) Done(K) { q.Finish(q.item, queue.Success()) }

func (q *native[K]) Forget(K) {}

func newClientGo[K comparable]() workQueue[K] {
	return clientGoQueue(workqueue.TypedRateLimitingQueueConfig[K]{})
}

func newClientGoWithMetrics[K comparable](provider workqueue.MetricsProvider) workQueue[K] {
	return clientGoQueue(workqueue.TypedRateLimitingQueueConfig[K]{Name: queueName, MetricsProvider: provider})
}

func clientGoQueue[K comparable](config workqueue.TypedRateLimitingQueueConfig[K]) workQueue[K] {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[K](retryBase, retryMax)
	return workqueue.NewTypedRateLimitingQueueWithConfig(limiter, config)
}

func newControllerRuntime[K comparable]() workQueue[K] {
	return controllerRuntimeQueue[K]("", nil)
}

func newControllerRuntimeWithMetrics[K comparable](provider workqueue.MetricsProvider) workQueue[K] {
	return controllerRuntimeQueue[K](queueName, provider)
}

// controllerRuntimeQueue returns the priority queue, with all keys at the same priority.
func controllerRuntimeQueue[K comparable](name string, provider workqueue.MetricsProvider) workQueue[K] {
	return priorityqueue.New(name, func(opts *priorityqueue.Opts[K]) {
		opts.RateLimiter = workqueue.NewTypedItemExponentialFailureRateLimiter[K](retryBase, retryMax)
		opts.MetricProvider = provider
	})
}

// A floor does what no queue can do without: it merges adds, keeps the order and knows which keys are being processed,
// with a map, a slice and a mutex. It can neither wait nor run a key again that was added meanwhile.
type floor[K comparable] struct {
	mu    sync.Mutex
	known map[K]bool // whether the key is being processed
	keys  []K        // a ring
	first int
	count int
}

func newFloor[K comparable]() workQueue[K] {
	const enough = 1 << 17 // a power of two above backlogKeys: the ring never grows
	return &floor[K]{known: make(map[K]bool), keys: make([]K, enough)}
}

func (f *floor[K]) Add(key K) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.known[key]; ok {
		return
	}
	f.known[key] = false
	f.keys[(f.first+f.count)&(len(f.keys)-1)] = key
	f.count++
}

func (f *floor[K]) Get() (key K, shutDown bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == 0 {
		return key, true
	}
	key = f.keys[f.first]
	f.first = (f.first + 1) & (len(f.keys) - 1)
	f.count--
	f.known[key] = true
	return key, false
}

func (f *floor[K]) Done(key K) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.known, key)
}

func (f *floor[K]) Len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

func (*floor[K]) ShutDown() {}
