package contest

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
	"github.com/sluice-k8s/sluice/pkg/cache"
)

func sluiceCache[T cache.Object](
	source cache.ListerWatcher[T], handle func(metav1.Object), transforms ...cache.Transform[T],
) cached {
	informer := cache.NewInformer(source, cache.Config{}, transforms...)
	apps := cache.AddIndex(informer.Indexer(), "app", func(obj T) ([]string, error) {
		return []string{obj.GetLabels()[fleet.AppLabel]}, nil
	})
	informer.Subscribe("contest", func(_ context.Context, event cache.Event[T]) { handle(event.Object) })
	return cached{run: informer.Run, count: informer.Indexer().Len, lookup: apps.Count}
}
