package contest

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
	"github.com/sluice-k8s/sluice/pkg/cache"
	sluice "github.com/sluice-k8s/sluice/pkg/controller"
)

func sluicePodController(config *rest.Config, workers int, reconcile reconciler) (controller, error) {
	clients, err := kubernetes.NewForConfig(fleet.Protobuf(config))
	if err != nil {
		return controller{}, err
	}
	return sluiceController(cache.FromClient(clients.CoreV1().Pods(metav1.NamespaceAll)), workers, reconcile)
}

func sluiceConfigMapController(config *rest.Config, namespace string, reconcile reconciler) (controller, error) {
	clients, err := kubernetes.NewForConfig(fleet.Protobuf(config))
	if err != nil {
		return controller{}, err
	}
	source := cache.FromClient[*corev1.ConfigMap](clients.CoreV1().ConfigMaps(namespace))
	return sluiceController(source, 1, reconcile)
}

func sluiceController[T cache.Object](source cache.ListerWatcher[T], workers int, reconcile reconciler) (controller, error) {
	informer := cache.NewInformer(source, cache.Config{})
	c, err := sluice.New(sluice.Config[types.NamespacedName]{
		Name:    "contest",
		Workers: workers,
		Sources: []sluice.Source[types.NamespacedName]{sluice.For(informer)},
		Reconcile: func(_ context.Context, key types.NamespacedName) sluice.Result {
			obj, ok := informer.Indexer().Get(key)
			if !ok {
				return sluice.Retry(errAbsent(key))
			}
			reconcile(obj)
			return sluice.Done()
		},
	})
	if err != nil {
		return controller{}, err
	}
	run := func(ctx context.Context) error { return sluice.Run(ctx, informer, c) }
	return controller{run: run, enqueue: c.EnqueueAll}, nil
}
