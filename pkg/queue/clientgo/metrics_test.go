package clientgo_test

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
	"github.com/sluice-k8s/sluice/pkg/queue/clientgo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A recorder is a MetricsProvider that keeps the last value of each metric, or the sum of what a histogram observed.
type recorder struct {
	mu     sync.Mutex
	values map[string]float64
}

func newRecorder() *recorder { return &recorder{values: make(map[string]float64)} }

func (r *recorder) snapshot() map[string]float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.values)
}

type metric struct {
	*recorder
	name string
}

func (m metric) change(by float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[m.name] += by
}

func (m metric) Inc()              { m.change(1) }
func (m metric) Dec()              { m.change(-1) }
func (m metric) Observe(v float64) { m.change(v) }

func (m metric) Set(v float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[m.name] = v
}

func (r *recorder) NewDepthMetric(name string) workqueue.GaugeMetric {
	return metric{r, name + " depth"}
}

func (r *recorder) NewAddsMetric(name string) workqueue.CounterMetric {
	return metric{r, name + " adds"}
}

func (r *recorder) NewLatencyMetric(name string) workqueue.HistogramMetric {
	return metric{r, name + " latency"}
}

func (r *recorder) NewWorkDurationMetric(name string) workqueue.HistogramMetric {
	return metric{r, name + " work duration"}
}

func (r *recorder) NewUnfinishedWorkSecondsMetric(name string) workqueue.SettableGaugeMetric {
	return metric{r, name + " unfinished"}
}

func (r *recorder) NewLongestRunningProcessorSecondsMetric(name string) workqueue.SettableGaugeMetric {
	return metric{r, name + " longest"}
}

func (r *recorder) NewRetriesMetric(name string) workqueue.CounterMetric {
	return metric{r, name + " retries"}
}

// work is a short life of any work queue; it ends with one key running and one ready.
func work(q workqueue.TypedRateLimitingInterface[string]) {
	q.Add("a")
	q.Add("b")
	q.Add("a")
	time.Sleep(2 * time.Second)
	key, _ := q.Get()
	time.Sleep(3 * time.Second)
	q.AddAfter(key, 10*time.Second)
	q.Done(key)
	q.Get()
	time.Sleep(20 * time.Second)
}

// Ours and client-go's own queue tell the same.
func TestMetricsAreThoseOfClientGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		theirs, ours := newRecorder(), newRecorder()
		limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[string](time.Second, time.Minute)
		peer := workqueue.NewTypedRateLimitingQueueWithConfig(limiter,
			workqueue.TypedRateLimitingQueueConfig[string]{Name: "queue", MetricsProvider: theirs})
		q := queue.New(queue.Config[string]{RateLimiter: limiter, Metrics: clientgo.Metrics(ours, "queue")})
		defer peer.ShutDown()
		defer q.ShutDown()

		var both sync.WaitGroup
		both.Go(func() { work(peer) })
		both.Go(func() { work(q) })
		both.Wait()
		synctest.Wait()
		if want, got := theirs.snapshot(), ours.snapshot(); !maps.Equal(want, got) {
			t.Errorf("told\n%v, client-go\n%v", got, want)
		}
	})
}

// A queue that is built like client-go's, and told to a provider like client-go's.
func ExampleMetrics() {
	provider := newRecorder()
	q := queue.New(queue.Config[string]{Metrics: clientgo.Metrics(provider, "widgets")})
	defer q.ShutDown()

	q.Add("default/web")
	fmt.Println(provider.snapshot()["widgets depth"])
	// Output: 1
}
