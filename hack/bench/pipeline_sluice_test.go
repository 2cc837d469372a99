package bench

import (
	"context"
	"strconv"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

func openSluiceInformer(tb testing.TB, from *source, handlers []*handler) (stop func()) {
	tb.Helper()
	informer := cache.NewInformer(sluiceSource{from}, cache.Config{})
	cache.AddIndex(informer.Indexer(), "node", nodeNames)
	for i, h := range handlers {
		informer.Subscribe(strconv.Itoa(i), func(_ context.Context, event cache.Event[*corev1.Pod]) { h.handle(event.Object) })
	}
	return inBackground(func(ctx context.Context) {
		if err := informer.Run(ctx); err != nil {
			tb.Error(err)
		}
	})
}

// inBackground runs an informer until it is stopped.
func inBackground(run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}
