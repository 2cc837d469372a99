package clientgo_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
)

// Register makes a factory build its informer of pods with the constructors of an implementation.
func register(factory informers.SharedInformerFactory, impl implementation) {
	factory.InformerFor(&corev1.Pod{}, func(client kubernetes.Interface, resync time.Duration) cache.SharedIndexInformer {
		from := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
				return client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, options)
			},
			WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
				return client.CoreV1().Pods(metav1.NamespaceAll).Watch(ctx, options)
			},
		}, client)
		return impl.newSharedIndexInformer(from, &corev1.Pod{}, resync,
			cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	})
}

// The unit test of a classical controller: a fake clientset, a factory, a lister, a handler.
func TestContractFactory(t *testing.T) {
	forEachLive(t, func(t *scene) {
		client := fake.NewClientset(newPod("a"), newPod("b", inNamespace("other")))
		factory := informers.NewSharedInformerFactory(client, 0)
		register(factory, t.implementation)
		pods := factory.Core().V1().Pods()
		handler, handle := subscribe(t, pods.Informer())

		running, stop := context.WithCancel(t.Context())
		factory.StartWithContext(running)
		if err := factory.WaitForCacheSyncWithContext(t.Context()).AsError(); err != nil {
			t.Fatal(err)
		}
		cache.WaitFor(t.Context(), "", handle.HasSyncedChecker())
		handler.wantUnordered(t, "add default/a@ initial", "add other/b@ initial")
		wantPods(t, listing(pods.Lister().List(labels.Everything())), "default/a", "other/b")
		wantPods(t, listing(pods.Lister().Pods("other").List(labels.Everything())), "other/b")

		_, err := client.CoreV1().Pods("default").Create(t.Context(), newPod("c"), metav1.CreateOptions{})
		wantOK(t, err)
		handler.want(t, "add default/c@")
		wantOK(t, client.CoreV1().Pods("default").Delete(t.Context(), "a", metav1.DeleteOptions{}))
		handler.want(t, "delete default/a@")
		if _, err := pods.Lister().Pods("default").Get("a"); err == nil {
			t.Error("the lister has what was deleted")
		}
		stop()
		factory.Shutdown() // waits for the informer
		if !pods.Informer().IsStopped() {
			t.Error("the informer of a factory that was shut down is not stopped")
		}
	})
}

// The factory knows its informer of pods under all its names, and only one.
func TestContractFactoryHasOneInformer(t *testing.T) {
	forEachLive(t, func(t *scene) {
		factory := informers.NewSharedInformerFactory(fake.NewClientset(newPod("a")), 0)
		register(factory, t.implementation)
		typed := factory.Core().V1().Pods().Informer()
		generic, err := factory.ForResource(corev1.SchemeGroupVersion.WithResource("pods"))
		wantOK(t, err)
		if generic.Informer().GetStore() != typed.GetStore() {
			t.Error("the generic informer has another cache")
		}
		factory.StartWithContext(t.Context())
		factory.StartWithContext(t.Context()) // starts what is new, which is nothing
		synced := factory.WaitForCacheSync(t.Context().Done())
		if len(synced) != 1 || !synced[reflect.TypeFor[*corev1.Pod]()] {
			t.Errorf("synced: %v", synced)
		}
		obj, err := generic.Lister().ByNamespace("default").Get("a")
		wantOK(t, err)
		if describe(obj) != "default/a@" {
			t.Errorf("the generic lister has %v", obj)
		}
		late, _ := subscribe(t, typed)
		late.want(t, "add default/a@ initial")
	})
}

// What the factory was configured with reaches the informer: its transform and the resync period of the type.
func TestContractFactoryOptions(t *testing.T) {
	forEachLive(t, func(t *scene) {
		factory := informers.NewSharedInformerFactoryWithOptions(fake.NewClientset(newPod("a")), time.Hour,
			informers.WithCustomResyncConfig(map[metav1.Object]time.Duration{&corev1.Pod{}: 10 * time.Second}),
			informers.WithTransform(func(obj any) (any, error) {
				obj.(*corev1.Pod).ResourceVersion = "transformed"
				return obj, nil
			}))
		register(factory, t.implementation)
		handler, _ := subscribe(t, factory.Core().V1().Pods().Informer())
		factory.Start(t.Context().Done())
		handler.want(t, "add default/a@transformed initial")
		pass(10 * time.Second)
		handler.want(t, "update default/a@transformed to default/a@transformed")
	})
}

// Unit tests fill the cache of a factory that never starts.
func TestContractFactoryFilledByHand(t *testing.T) {
	forEach(t, func(t *scene) {
		factory := informers.NewSharedInformerFactory(fake.NewClientset(), 0)
		register(factory, t.implementation)
		pods := factory.Core().V1().Pods()
		wantOK(t, pods.Informer().GetIndexer().Add(newPod("a")))
		wantPods(t, listing(pods.Lister().Pods("default").List(labels.Everything())), "default/a")
		wantPods(t, listing(pods.Lister().Pods("other").List(labels.Everything())))
	})
}

func listing(pods []*corev1.Pod, err error) []*corev1.Pod {
	if err != nil {
		panic(err) // listers of a cache do not fail
	}
	return pods
}

func wantPods(t tester, pods []*corev1.Pod, want ...string) {
	t.Helper()
	keys := make([]string, 0, len(pods))
	for _, pod := range pods {
		keys = append(keys, pod.Namespace+"/"+pod.Name)
	}
	wantStrings(t, keys, want...)
}
