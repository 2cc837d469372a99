package cache_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// An informer over a typed client: subscribe, run, wait, read.
func ExampleNewInformer() {
	clients := fake.NewClientset(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}})
	pods := cache.NewInformer(cache.FromClient(clients.CoreV1().Pods("")), cache.Config{})
	subscription := pods.Subscribe("printer", func(_ context.Context, event cache.Event[*corev1.Pod]) {
		fmt.Println(event.Type, event.Key)
	})

	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- pods.Run(ctx) }()
	if err := subscription.WaitForSync(ctx); err != nil {
		fmt.Println(err)
	}
	fmt.Println(pods.Indexer().Len(), "pod in the cache")
	cancel()
	fmt.Println(<-stopped)
	// Output:
	// Added default/web
	// 1 pod in the cache
	// <nil>
}

// An index finds objects by a value of any comparable type.
func ExampleAddIndex() {
	indexer := cache.NewIndexer[*corev1.Pod]()
	byNode := cache.AddIndex(indexer, "node", func(pod *corev1.Pod) ([]string, error) {
		return []string{pod.Spec.NodeName}, nil
	})

	web := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: corev1.PodSpec{NodeName: "n1"}}
	indexer.Add(web)
	for pod := range byNode.Lookup("n1") {
		fmt.Println(pod.Name)
	}
	// Output: web
}
