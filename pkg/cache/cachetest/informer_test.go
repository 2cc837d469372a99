package cachetest_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/cachetest"
	"github.com/sluice-k8s/sluice/pkg/cache/transform"
)

// In an informer the detector finds the subscriber that writes into the cache: one reads, one comes later and writes
// into an object, which then changes on the server.
func TestInAnInformer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pods := fake.NewClientset(newPod("web"), newPod("db")).CoreV1().Pods("default")
		detector := cachetest.NewMutationDetector[*corev1.Pod]()
		informer := cache.NewInformer(cache.FromClient(pods), cache.Config{},
			transform.StripManagedFields[*corev1.Pod](), transform.Share[*corev1.Pod](), detector.Transform())
		var running sync.WaitGroup
		defer running.Wait()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		running.Go(func() { _ = informer.Run(ctx) })

		informer.Subscribe("reader", detector.Handler("reader", func(_ context.Context, e podEvent) { _ = e.Object.String() }))
		synctest.Wait()
		if found := detector.Audit(); len(found) != 0 || detector.Len() != 2 {
			t.Fatalf("found %v in %d objects", found, detector.Len())
		}

		informer.Subscribe("writer", detector.Handler("writer", func(_ context.Context, e podEvent) {
			if e.Initial && e.Object.Name == "web" {
				e.Object.Spec.NodeName = "node-1"
			}
		}))
		synctest.Wait()
		update := newPod("web")
		update.ResourceVersion, update.Spec.NodeName = "8", "node-2"
		if _, err := pods.Update(ctx, update, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		found := detector.Audit()
		if len(found) != 1 || !slices.Equal(found[0].Handlers, []string{"writer"}) ||
			!slices.Equal(found[0].Fields, []string{"spec.nodeName"}) || found[0].Key.Name != "web" {
			t.Errorf("found %v", found)
		}
		pod, _ := informer.Indexer().Get(cache.KeyOf(update))
		if pod == nil || pod.Spec.NodeName != "node-2" {
			t.Errorf("the cache has %v", pod)
		}
	})
}
