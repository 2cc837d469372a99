package contest

import (
	"context"
	"iter"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	options "sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
)

// runtimeController works with objects of the type of kind. Keys that are enqueued by hand are put into its queue.
func runtimeController(config *rest.Config, kind client.Object, namespace string, workers int, each reconciler) (controller, error) {
	log.SetLogger(logr.Discard())
	manager, err := ctrl.NewManager(fleet.Protobuf(config), ctrl.Options{
		Scheme:  scheme.Scheme,
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
		Metrics: server.Options{BindAddress: "0"},
	})
	if err != nil {
		return controller{}, err
	}
	byHand := make(chan workqueue.TypedRateLimitingInterface[reconcile.Request], 1)
	err = ctrl.NewControllerManagedBy(manager).
		Named("contest").
		For(kind).
		WatchesRawSource(source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
			byHand <- queue
			return nil
		})).
		WithOptions(options.Options{MaxConcurrentReconciles: workers}).
		Complete(reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
			obj := kind.DeepCopyObject().(client.Object)
			if err := manager.GetClient().Get(ctx, request.NamespacedName, obj); err != nil {
				return reconcile.Result{}, err
			}
			each(metav1.Object(obj))
			return reconcile.Result{}, nil
		}))
	var queue workqueue.TypedRateLimitingInterface[reconcile.Request]
	return controller{run: manager.Start, enqueue: func(keys iter.Seq[types.NamespacedName]) {
		if queue == nil {
			queue = <-byHand
		}
		for key := range keys {
			queue.Add(reconcile.Request{NamespacedName: key})
		}
	}}, err
}
