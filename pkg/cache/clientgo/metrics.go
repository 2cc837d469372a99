package clientgo

import (
	"strconv"

	"k8s.io/client-go/tools/cache"

	engine "github.com/sluice-k8s/sluice/pkg/cache"
)

// metrics are what client-go measures of an informer. A nil one measures nothing.
type metrics struct {
	queued  cache.GaugeMetric
	latency cache.HistogramMetric
	version cache.GaugeMetric
}

// newMetrics returns nil without a provider or a reserved identity: such an informer has none.
func newMetrics(id cache.InformerNameAndResource, provider cache.InformerMetricsProvider) *metrics {
	if provider == nil || !id.Reserved() {
		return nil
	}
	return &metrics{
		queued:  provider.NewQueuedItemMetric(id),
		latency: provider.NewProcessingLatencyMetric(id),
		version: provider.NewStoreResourceVersionMetric(id),
	}
}

// observer returns what is to be told of each batch.
func (m *metrics) observer() func(engine.BatchStats) {
	if m == nil {
		return nil
	}
	return func(stats engine.BatchStats) {
		m.queued.Set(float64(stats.Waiting))
		m.latency.Observe(stats.Took.Seconds())
		m.reached(stats.ResourceVersion)
	}
}

// exactDigits is how many decimal digits a float64 always holds exactly.
const exactDigits = 15

// reached sets the version of the store: of a long one, as in client-go, the last digits.
func (m *metrics) reached(version string) {
	if m == nil || version == "" {
		return
	}
	digits := version[max(0, len(version)-exactDigits):]
	if number, err := strconv.ParseInt(digits, 10, 64); err == nil {
		m.version.Set(float64(number))
	}
}
