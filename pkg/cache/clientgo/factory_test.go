package clientgo_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"

	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache/clientgo"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
	crontabfake "github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned/fake"
	"github.com/sluice-k8s/sluice/pkg/generated/informers/externalversions"
)

func podsOf(client kubernetes.Interface) cache.ListerWatcher {
	return clientgo.FromClient(client.CoreV1().Pods(metav1.NamespaceAll))
}

// Both names of a factory's informer, and its listers, are on the engine; other types stay what they were.
func TestUseInAFactory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(newPod("a"), newPod("b", inNamespace("other")))
		factory := informers.NewSharedInformerFactory(client, 0)
		wantOK(t, clientgo.Use(factory, &corev1.Pod{}, podsOf, cache.SharedIndexInformerOptions{}))
		pods := factory.Core().V1().Pods()
		wantOurs(t, pods.Informer(), true)
		wantOurs(t, factory.Core().V1().Secrets().Informer(), false)

		ctx, cancel := context.WithCancel(t.Context())
		factory.StartWithContext(ctx)
		wantOK(t, factory.WaitForCacheSyncWithContext(ctx).AsError())
		wantPods(t, listing(pods.Lister().Pods("other").List(labels.Everything())), "other/b")
		cancel()
		factory.Shutdown()
	})
}

func TestUseInAGeneratedFactory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := crontabfake.NewSimpleClientset(&stablev1.CronTab{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a"}})
		factory := externalversions.NewSharedInformerFactory(client, 0)
		wantOK(t, clientgo.Use(factory, &stablev1.CronTab{}, func(client versioned.Interface) cache.ListerWatcher {
			return clientgo.FromClient(client.StableV1().CronTabs("ns"))
		}, cache.SharedIndexInformerOptions{}))
		tabs := factory.Stable().V1().CronTabs()
		wantOurs(t, tabs.Informer(), true)

		ctx, cancel := context.WithCancel(t.Context())
		factory.Start(ctx.Done())
		factory.WaitForCacheSync(ctx.Done())
		if _, err := tabs.Lister().CronTabs("ns").Get("a"); err != nil {
			t.Error(err)
		}
		cancel()
		factory.Shutdown()
	})
}

func TestUseComesTooLate(t *testing.T) {
	factory := informers.NewSharedInformerFactory(fake.NewClientset(), 0)
	pods := factory.Core().V1().Pods().Informer()
	wantError(t, clientgo.Use(factory, &corev1.Pod{}, podsOf, cache.SharedIndexInformerOptions{}),
		"clientgo: the factory has an informer of *v1.Pod already")
	wantOurs(t, pods, false)
}

// The period and the transform are the factory's, the indexers those of the options.
func TestUseWithOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		factory := informers.NewSharedInformerFactoryWithOptions(fake.NewClientset(newPod("a")), 10*time.Second,
			informers.WithTransform(func(obj any) (any, error) {
				obj.(*corev1.Pod).Spec.NodeName = "transformed"
				return obj, nil
			}))
		wantOK(t, clientgo.Use(factory, &corev1.Pod{}, podsOf, cache.SharedIndexInformerOptions{
			ResyncPeriod: time.Second, Indexers: cache.Indexers{"node": byNode},
		}))
		informer := factory.Core().V1().Pods().Informer()
		handler, _ := subscribe(t, informer)
		ctx, cancel := context.WithCancel(t.Context())
		factory.StartWithContext(ctx)
		handler.want(t, "add default/a@ initial")
		wantByIndex(t, informer.GetIndexer(), "node", "transformed", "default/a")
		pass(10 * time.Second)
		handler.want(t, "update default/a@ to default/a@")
		cancel()
		factory.Shutdown()
	})
}

// WantOurs tells by a defect that client-go has.
func wantOurs(t tester, informer cache.SharedIndexInformer, want bool) {
	t.Helper()
	informer.GetIndexer().GetIndexers()["test"] = byNode
	if ours := len(informer.GetIndexer().GetIndexers()) == 1; ours != want {
		t.Errorf("the informer is Sluice's: %t", ours)
	}
	if !want {
		delete(informer.GetIndexer().GetIndexers(), "test")
	}
}
