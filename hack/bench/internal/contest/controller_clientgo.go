package contest

import (
	"context"
	"iter"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
)

func clientGoPodController(config *rest.Config, workers int, reconcile reconciler) (controller, error) {
	clients, err := kubernetes.NewForConfig(fleet.Protobuf(config))
	if err != nil {
		return controller{}, err
	}
	pods := informers.NewSharedInformerFactory(clients, noResync).Core().V1().Pods()
	return clientGoController(pods.Informer(), podGetter(pods.Lister()), workers, reconcile)
}

func clientGoConfigMapController(config *rest.Config, namespace string, reconcile reconciler) (controller, error) {
	clients, err := kubernetes.NewForConfig(fleet.Protobuf(config))
	if err != nil {
		return controller{}, err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(clients, noResync, informers.WithNamespace(namespace))
	configMaps := factory.Core().V1().ConfigMaps()
	get := func(key cache.ObjectName) (*corev1.ConfigMap, error) {
		return configMaps.Lister().ConfigMaps(key.Namespace).Get(key.Name)
	}
	return clientGoController(configMaps.Informer(), get, 1, reconcile)
}

func podGetter(pods listers.PodLister) func(cache.ObjectName) (*corev1.Pod, error) {
	return func(key cache.ObjectName) (*corev1.Pod, error) { return pods.Pods(key.Namespace).Get(key.Name) }
}

// A clientGoWorker is a controller in the way of client-go's sample: handlers put keys into a queue, workers take them.
type clientGoWorker[T metav1.Object] struct {
	informer  cache.SharedIndexInformer
	queue     workqueue.TypedRateLimitingInterface[cache.ObjectName]
	get       func(cache.ObjectName) (T, error)
	workers   int
	reconcile reconciler
}

func clientGoController[T metav1.Object](
	informer cache.SharedIndexInformer, get func(cache.ObjectName) (T, error), workers int, reconcile reconciler,
) (controller, error) {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName]())
	w := &clientGoWorker[T]{informer: informer, queue: queue, get: get, workers: workers, reconcile: reconcile}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    w.enqueue,
		UpdateFunc: func(_, obj any) { w.enqueue(obj) },
		DeleteFunc: w.enqueue,
	})
	return controller{run: w.run, enqueue: func(keys iter.Seq[types.NamespacedName]) {
		for key := range keys {
			queue.Add(cache.NamespacedNameAsObjectName(key))
		}
	}}, err
}

func (w *clientGoWorker[T]) enqueue(obj any) {
	key, err := cache.DeletionHandlingObjectToName(obj)
	if err != nil {
		runtime.HandleError(err)
		return
	}
	w.queue.Add(key)
}

func (w *clientGoWorker[T]) run(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	defer w.queue.ShutDown()
	group.Go(func() { w.informer.RunWithContext(ctx) })
	if !cache.WaitForCacheSync(ctx.Done(), w.informer.HasSynced) {
		return nil
	}
	for range w.workers {
		group.Go(func() {
			for w.next() {
			}
		})
	}
	<-ctx.Done()
	return nil
}

func (w *clientGoWorker[T]) next() bool {
	key, shutdown := w.queue.Get()
	if shutdown {
		return false
	}
	defer w.queue.Done(key)
	obj, err := w.get(key)
	if err != nil {
		runtime.HandleError(err)
		w.queue.AddRateLimited(key)
		return true
	}
	w.reconcile(obj)
	w.queue.Forget(key)
	return true
}
