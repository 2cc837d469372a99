package bench

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// A workQueue is what the workloads call of workqueue.TypedRateLimitingInterface. Its Len does more than report: when it
// returns, all earlier adds without a delay have taken effect, also where adds are asynchronous.
type workQueue[K comparable] interface {
	Add(key K)
	Get() (key K, shutDown bool)
	Done(key K)
	Len() int
	ShutDown()
}

type delayingQueue[K comparable] interface {
	workQueue[K]
	AddAfter(key K, delay time.Duration)
	AddRateLimited(key K)
	Forget(key K)
}

// A queue whose workers keep a handle of the key that they took is a workerQueue. Others are called by all workers as
// they are.
type workerQueue[K comparable] interface {
	forWorker() workQueue[K]
}

func viewOf[K comparable](q workQueue[K]) workQueue[K] {
	if q, ok := q.(workerQueue[K]); ok {
		return q.forWorker()
	}
	return q
}

// A workload measures a queue, which is new, and shuts it down.
type workload[K comparable] func(b *testing.B, q workQueue[K], keys keySet[K])

// A contest lets implementations do the same workload.
type contest[K comparable] struct {
	keys    keySet[K]
	metrics bool // among those that can export metrics to Prometheus
	floor   bool // also the least that the workload needs
}

func (c contest[K]) run(b *testing.B, work workload[K]) {
	for _, implementation := range implementations[K]() {
		name := fmt.Sprintf("impl=%s/keys=%s/metrics=%s", implementation.name, c.keys.name, onOff(c.metrics))
		switch {
		case c.metrics && implementation.openWithMetrics == nil:
			continue
		case implementation.isFloor && !c.floor:
			continue
		case c.metrics:
			b.Run(name, func(b *testing.B) {
				provider := newMetricsProvider()
				b.ReportAllocs()
				work(b, implementation.openWithMetrics(provider), c.keys)
				provider.wantAdds(b)
			})
		default:
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				work(b, implementation.open(), c.keys)
			})
		}
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// A keySet makes keys of one kind from numbers.
type keySet[K comparable] struct {
	name  string
	key   func(number int) K
	index func(key K) int // the number of a key
}

const keyPrefix = "object-"

func requestKeys() keySet[types.NamespacedName] {
	return keySet[types.NamespacedName]{
		name: "request",
		key: func(number int) types.NamespacedName {
			return types.NamespacedName{Namespace: namespace(number), Name: keyPrefix + strconv.Itoa(number)}
		},
		index: func(key types.NamespacedName) int { return numberOf(key.Name) },
	}
}

func stringKeys() keySet[string] {
	return keySet[string]{
		name:  "string",
		key:   func(number int) string { return namespace(number) + "/" + keyPrefix + strconv.Itoa(number) },
		index: func(key string) int { return numberOf(key[strings.IndexByte(key, '/')+1:]) },
	}
}

func namespace(number int) string { return "namespace-" + strconv.Itoa(number%100) }

// numberOf returns -1 for a name that is none of ours.
func numberOf(name string) int {
	number, err := strconv.Atoi(strings.TrimPrefix(name, keyPrefix))
	if err != nil {
		return -1
	}
	return number
}

func (s keySet[K]) list(n int) []K {
	keys := make([]K, n)
	for number := range keys {
		keys[number] = s.key(number)
	}
	return keys
}

// A rotation yields keys over and over again, without the division that a modulo takes.
type rotation[K comparable] struct {
	keys []K
	at   int
}

func (r *rotation[K]) key() K {
	key := r.keys[r.at]
	r.at++
	if r.at == len(r.keys) {
		r.at = 0
	}
	return key
}
