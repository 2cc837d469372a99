package bench

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/client-go/util/workqueue"
)

// A metricsProvider exports a queue's metrics to Prometheus as k8s.io/component-base/metrics/prometheus/workqueue does:
// the same kinds, names and buckets. It has a registry of its own.
type metricsProvider struct {
	depth, unfinished, longest *prometheus.GaugeVec
	adds, retries              *prometheus.CounterVec
	latency, work              *prometheus.HistogramVec
}

var _ workqueue.MetricsProvider = (*metricsProvider)(nil)

func newMetricsProvider() *metricsProvider {
	p := &metricsProvider{
		depth:      gauge("depth"),
		unfinished: gauge("unfinished_work_seconds"),
		longest:    gauge("longest_running_processor_seconds"),
		adds:       counter("adds_total"),
		retries:    counter("retries_total"),
		latency:    histogram("queue_duration_seconds"),
		work:       histogram("work_duration_seconds"),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(p.depth, p.unfinished, p.longest, p.adds, p.retries, p.latency, p.work)
	return p
}

const subsystem = "workqueue"

func labels() []string { return []string{"name"} }

func gauge(name string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Subsystem: subsystem, Name: name}, labels())
}

func counter(name string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Subsystem: subsystem, Name: name}, labels())
}

func histogram(name string) *prometheus.HistogramVec {
	buckets := prometheus.ExponentialBuckets(10e-9, 10, 10)
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Subsystem: subsystem, Name: name, Buckets: buckets}, labels())
}

// wantAdds fails the benchmark if the queue has not counted: it would have been measured without metrics.
func (p *metricsProvider) wantAdds(tb testing.TB) {
	tb.Helper()
	if testutil.ToFloat64(p.adds.WithLabelValues(queueName)) == 0 {
		tb.Error("the queue has exported no metrics")
	}
}

func (p *metricsProvider) NewDepthMetric(name string) workqueue.GaugeMetric {
	return p.depth.WithLabelValues(name)
}

func (p *metricsProvider) NewAddsMetric(name string) workqueue.CounterMetric {
	return p.adds.WithLabelValues(name)
}

func (p *metricsProvider) NewLatencyMetric(name string) workqueue.HistogramMetric {
	return p.latency.WithLabelValues(name)
}

func (p *metricsProvider) NewWorkDurationMetric(name string) workqueue.HistogramMetric {
	return p.work.WithLabelValues(name)
}

func (p *metricsProvider) NewUnfinishedWorkSecondsMetric(name string) workqueue.SettableGaugeMetric {
	return p.unfinished.WithLabelValues(name)
}

func (p *metricsProvider) NewLongestRunningProcessorSecondsMetric(name string) workqueue.SettableGaugeMetric {
	return p.longest.WithLabelValues(name)
}

func (p *metricsProvider) NewRetriesMetric(name string) workqueue.CounterMetric {
	return p.retries.WithLabelValues(name)
}
