package clientgo_test

import (
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

// Identify reserves an identity for metrics until the test ends.
func identify(t *scene) cache.InformerNameAndResource {
	t.Helper()
	name, err := cache.NewInformerName(t.Name())
	wantOK(t, err)
	t.Cleanup(name.Release)
	return name.WithResource(corev1.SchemeGroupVersion.WithResource("pods"))
}

func TestContractMetricsOfASharedInformer(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source, metrics := newSource(newPod("a")), &gauges{}
		informer := t.newSharedIndexInformerWithOptions(source, &corev1.Pod{}, cache.SharedIndexInformerOptions{
			Identifier:              identify(t),
			InformerMetricsProvider: metrics,
		})
		go informer.RunWithContext(t.Context())
		settle()
		metrics.want(t, "pods version", 1)
		source.create(newPod("b"))
		settle()
		metrics.want(t, "pods version", 2)
		source.bookmark("40")
		settle()
		metrics.want(t, "pods version", 40)
		metrics.want(t, "pods queued", 0)
		if metrics.observed("pods latency") == 0 {
			t.Error("no latency was observed")
		}
	})
}

func TestContractMetricsOfAController(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source, metrics := newSource(newPod("a")), &gauges{}
		_, controller := t.newInformerWithOptions(cache.InformerOptions{
			ListerWatcher: source, ObjectType: &corev1.Pod{}, Handler: &recorder{},
			Identifier: identify(t), InformerMetricsProvider: metrics,
		})
		go controller.RunWithContext(t.Context())
		settle()
		metrics.want(t, "pods version", 1)
		metrics.want(t, "pods queued", 0)
		if metrics.observed("pods latency") == 0 {
			t.Error("no latency was observed")
		}
	})
}

// A version of more than 15 digits is told by its last 15, which a float64 holds exactly.
func TestContractMetricsOfLongVersions(t *testing.T) {
	forEachLive(t, func(t *scene) {
		metrics := &gauges{}
		informer := t.newSharedIndexInformerWithOptions(newSource(), &corev1.Pod{}, cache.SharedIndexInformerOptions{
			Identifier:              identify(t),
			InformerMetricsProvider: metrics,
		})
		informer.GetStore().Bookmark("91234567890123456")
		metrics.want(t, "pods version", 234567890123456)
		informer.GetStore().Bookmark("not a number")
		metrics.want(t, "pods version", 234567890123456)
	})
}

// Without an identity, or with one that another informer has, a provider is not even asked.
func TestContractMetricsWithoutIdentity(t *testing.T) {
	forEachLive(t, func(t *scene) {
		name, err := cache.NewInformerName(t.Name())
		wantOK(t, err)
		defer name.Release()
		resource := corev1.SchemeGroupVersion.WithResource("pods")
		name.WithResource(resource)
		for _, identity := range []cache.InformerNameAndResource{{}, name.WithResource(resource)} {
			metrics := &gauges{}
			informer := t.newSharedIndexInformerWithOptions(newSource(newPod("a")), &corev1.Pod{},
				cache.SharedIndexInformerOptions{Identifier: identity, InformerMetricsProvider: metrics})
			go informer.RunWithContext(t.Context())
			settle()
			if asked := metrics.names(); len(asked) > 0 {
				t.Errorf("the provider was asked for %q", asked)
			}
		}
	})
}

// Gauges are a provider of metrics. They keep the last value of each, and how often it was set or observed.
type gauges struct {
	mu    sync.Mutex
	all   map[string]float64
	count map[string]int
}

func (g *gauges) NewQueuedItemMetric(id cache.InformerNameAndResource) cache.GaugeMetric {
	return g.metric(id, "queued")
}

func (g *gauges) NewProcessingLatencyMetric(id cache.InformerNameAndResource) cache.HistogramMetric {
	return g.metric(id, "latency")
}

func (g *gauges) NewStoreResourceVersionMetric(id cache.InformerNameAndResource) cache.GaugeMetric {
	return g.metric(id, "version")
}

func (g *gauges) want(t tester, name string, want float64) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if got, ok := g.all[name]; !ok || got != want {
		t.Errorf("%s is %v (set: %t), want %v", name, got, ok, want)
	}
}

func (g *gauges) observed(name string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.count[name]
}

func (g *gauges) names() (names []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name := range g.count {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (g *gauges) metric(id cache.InformerNameAndResource, kind string) gauge {
	name := id.GroupVersionResource().Resource + " " + kind
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.count == nil {
		g.all, g.count = map[string]float64{}, map[string]int{}
	}
	g.count[name] = 0
	return gauge{g, name}
}

// A gauge is one of them.
type gauge struct {
	of   *gauges
	name string
}

func (g gauge) Set(value float64)     { g.set(value) }
func (g gauge) Observe(value float64) { g.set(value) }

func (g gauge) set(value float64) {
	g.of.mu.Lock()
	defer g.of.mu.Unlock()
	g.of.all[g.name] = value
	g.of.count[g.name]++
}
