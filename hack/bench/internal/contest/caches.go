package contest

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	clientgo "k8s.io/client-go/tools/cache"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/transform"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
	"github.com/sluice-k8s/sluice/pkg/generated/informers/externalversions"
)

func podCaches() caches {
	return caches{
		{Sluice, Kept}:          sluicePods(cache.RESTOptions{}),
		{Sluice, Dropped}:       sluicePods(cache.RESTOptions{DropManagedFields: true}),
		{SluiceShared, Dropped}: sluicePods(cache.RESTOptions{DropManagedFields: true}, transform.Share[*corev1.Pod]),
		{ClientGo, Kept}:        clientGoPods(nil),
		{ClientGo, Dropped}:     clientGoPods(dropManagedFields),
		{FloorRead, Kept}:       floor(skip),
		{FloorDecode, Kept}:     floor(decode),
	}
}

func cronTabCaches() caches {
	return caches{
		{Sluice, Kept}:          sluiceCronTabs(cache.RESTOptions{}),
		{Sluice, Dropped}:       sluiceCronTabs(cache.RESTOptions{DropManagedFields: true}),
		{SluiceShared, Dropped}: sluiceCronTabs(cache.RESTOptions{DropManagedFields: true}, transform.Share[*stablev1.CronTab]),
		{ClientGo, Kept}:        clientGoCronTabs(nil),
		{ClientGo, Dropped}:     clientGoCronTabs(dropManagedFields),
	}
}

func sluicePods(options cache.RESTOptions, transforms ...func() cache.Transform[*corev1.Pod]) open {
	return func(config *rest.Config, handle func(metav1.Object)) (cached, error) {
		clients, err := kubernetes.NewForConfig(fleet.Protobuf(config))
		if err != nil {
			return cached{}, err
		}
		source := cache.FromREST[*corev1.Pod](clients.CoreV1().RESTClient(), "pods", options)
		return sluiceCache(source, handle, made(transforms)...), nil
	}
}

func sluiceCronTabs(options cache.RESTOptions, transforms ...func() cache.Transform[*stablev1.CronTab]) open {
	return func(config *rest.Config, handle func(metav1.Object)) (cached, error) {
		clients, err := versioned.NewForConfig(config)
		if err != nil {
			return cached{}, err
		}
		source := cache.FromREST[*stablev1.CronTab](clients.StableV1().RESTClient(), "crontabs", options)
		return sluiceCache(source, handle, made(transforms)...), nil
	}
}

func made[T cache.Object](makers []func() cache.Transform[T]) []cache.Transform[T] {
	transforms := make([]cache.Transform[T], len(makers))
	for i := range makers {
		transforms[i] = makers[i]()
	}
	return transforms
}

func clientGoPods(change clientgo.TransformFunc) open {
	return func(config *rest.Config, handle func(metav1.Object)) (cached, error) {
		clients, err := kubernetes.NewForConfig(fleet.Protobuf(config))
		if err != nil {
			return cached{}, err
		}
		factory := informers.NewSharedInformerFactoryWithOptions(clients, noResync, informers.WithTransform(change))
		return clientGoCache(factory.Core().V1().Pods().Informer(), handle)
	}
}

func clientGoCronTabs(change clientgo.TransformFunc) open {
	return func(config *rest.Config, handle func(metav1.Object)) (cached, error) {
		clients, err := versioned.NewForConfig(config)
		if err != nil {
			return cached{}, err
		}
		factory := externalversions.NewSharedInformerFactoryWithOptions(clients, noResync, externalversions.WithTransform(change))
		return clientGoCache(factory.Stable().V1().CronTabs().Informer(), handle)
	}
}

const noResync = 0
