package contest

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
)

const appIndex = "app"

// clientGoCache takes an informer as it comes from a factory.
func clientGoCache(informer cache.SharedIndexInformer, handle func(metav1.Object)) (cached, error) {
	if err := informer.AddIndexers(cache.Indexers{appIndex: func(obj any) ([]string, error) {
		accessor, err := meta.Accessor(obj)
		if err != nil {
			return nil, err
		}
		return []string{accessor.GetLabels()[fleet.AppLabel]}, nil
	}}); err != nil {
		return cached{}, err
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(obj any) { handle(obj.(metav1.Object)) }})
	return cached{
		run:   func(ctx context.Context) error { informer.RunWithContext(ctx); return nil },
		count: func() int { return len(informer.GetStore().ListKeys()) },
		lookup: func(app string) int {
			keys, _ := informer.GetIndexer().IndexKeys(appIndex, app) // a mistake is no number of keys
			return len(keys)
		},
	}, err
}

// dropManagedFields is the transform that most use.
func dropManagedFields(obj any) (any, error) {
	accessor, err := meta.Accessor(obj)
	if err != nil {
		return nil, fmt.Errorf("drop managed fields: %w", err)
	}
	accessor.SetManagedFields(nil)
	return obj, nil
}
