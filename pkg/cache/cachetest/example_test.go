package cachetest_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/cachetest"
	"github.com/sluice-k8s/sluice/pkg/cache/transform"
)

// A handler sets a label on the object that it was given, instead of on a copy.
func ExampleMutationDetector() {
	detector := cachetest.NewMutationDetector[*corev1.Pod]()
	toCache := transform.Chain(transform.Share[*corev1.Pod](), detector.Transform())
	handler := detector.Handler("labeler", func(_ context.Context, event cache.Event[*corev1.Pod]) {
		event.Object.Labels["seen"] = "true"
	})

	pod, _ := toCache(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: "default", Name: "web", ResourceVersion: "7", Labels: map[string]string{"app": "shop"},
	}})
	handler(context.Background(), cache.Event[*corev1.Pod]{Type: cache.Added, Key: cache.KeyOf(pod), Object: pod})

	for _, mutation := range detector.Audit() {
		fmt.Println(mutation)
	}
	// Output:
	// object "default/web" at resource version "7" was changed in the cache by handler labeler: metadata.labels, metadata.labels["seen"]
}

// In a test: it fails at its end if somebody wrote into a cached object. (Here t is one that prints.)
func ExampleDetectMutations() {
	t := &recorder{}
	detector := cachetest.DetectMutations[*corev1.Pod](t)
	toCache := detector.Transform()

	pod, _ := toCache(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", ResourceVersion: "7"}})
	pod.Spec.NodeName = "node-1"

	t.cleanup() // the test ends
	fmt.Println(t.errors[0])
	// Output: object "/web" at resource version "7" was changed in the cache by an unknown writer: spec.nodeName
}
