package clientgo

import (
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// Metrics returns metrics for [queue.Config] that tell the provider what happens in a queue, under client-go's names for
// them and with client-go's meaning, except that
//
//   - a key that is added while it is processed is counted as added when it is done, since it can't be taken before, and
//     its latency begins then;
//   - a queue in which nothing happens does not set its gauges again and again, and one that is shut down sets them once
//     more when its last key is done.
//
// The name is that of the queue. The provider must not be nil.
func Metrics(provider workqueue.MetricsProvider, name string) queue.Metrics {
	return metrics{
		depth:        provider.NewDepthMetric(name),
		adds:         provider.NewAddsMetric(name),
		latency:      provider.NewLatencyMetric(name),
		workDuration: provider.NewWorkDurationMetric(name),
		unfinished:   provider.NewUnfinishedWorkSecondsMetric(name),
		longest:      provider.NewLongestRunningProcessorSecondsMetric(name),
		retries:      provider.NewRetriesMetric(name),
	}
}

type metrics struct {
	depth        workqueue.GaugeMetric
	adds         workqueue.CounterMetric
	latency      workqueue.HistogramMetric
	workDuration workqueue.HistogramMetric
	unfinished   workqueue.SettableGaugeMetric
	longest      workqueue.SettableGaugeMetric
	retries      workqueue.CounterMetric
}

func (m metrics) Added(_ queue.Priority, n int) {
	for range n {
		m.depth.Inc()
		m.adds.Inc()
	}
}

func (m metrics) Taken(_ queue.Priority, waited time.Duration) {
	m.depth.Dec()
	m.latency.Observe(waited.Seconds())
}

func (m metrics) Finished(_ queue.Priority, took time.Duration) {
	m.workDuration.Observe(took.Seconds())
}

func (m metrics) Retried(n int) {
	for range n {
		m.retries.Inc()
	}
}

func (m metrics) Gauges(status queue.Status) {
	m.unfinished.Set(status.Unfinished.Seconds())
	m.longest.Set(status.LongestRunning.Seconds())
}
