package cache_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/transform"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

func pod(name, node, version string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, ResourceVersion: version, Labels: map[string]string{"app": name},
		},
		Spec: corev1.PodSpec{NodeName: node},
	}
}

// An informer over a typed client: subscribe, run, wait, read.
func ExampleNewInformer() {
	clients := fake.NewClientset(pod("web", "n1", "1"))
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

// What a probe and a metric ask.
func ExampleInformer_Ready() {
	pods := cache.NewInformer(cache.FromClient(fake.NewClientset(pod("web", "n1", "1")).CoreV1().Pods("")), cache.Config{Name: "pods"})
	fmt.Println(pods.Ready())

	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- pods.Run(ctx) }()
	fmt.Println(pods.WaitForSync(ctx))
	fmt.Println(pods.Ready())
	status := pods.Status()
	fmt.Println("listed:", status.Listed, "because of:", status.Relists, "in quarantine:", status.Quarantined)

	stop()
	fmt.Println(<-stopped)
	fmt.Println(pods.Ready())
	// Output:
	// cache: informer "pods" is not ready: the informer is not running: its Run was not called
	// <nil>
	// <nil>
	// listed: 1 because of: map[start:1] in quarantine: 0
	// <nil>
	// cache: informer "pods" is not ready: stopped
}

// Transforms run before an object is cached, in order.
func ExampleNewInformer_transforms() {
	clients := fake.NewClientset(pod("web", "n1", "1"))
	pods := cache.NewInformer(cache.FromClient(clients.CoreV1().Pods("")), cache.Config{},
		transform.StripManagedFields[*corev1.Pod](),
		func(pod *corev1.Pod) (*corev1.Pod, error) {
			pod.Labels = nil // nobody here reads them
			return pod, nil
		},
		transform.Share[*corev1.Pod](),
	)

	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- pods.Run(ctx) }()
	fmt.Println(pods.WaitForSync(ctx))
	web, _ := pods.Indexer().Get(types.NamespacedName{Namespace: "default", Name: "web"})
	fmt.Println(len(web.Labels), "labels")
	cancel()
	fmt.Println(<-stopped)
	// Output:
	// <nil>
	// 0 labels
	// <nil>
}

// A test of what reads from a cache fills an indexer by hand.
func ExampleIndexer_Add() {
	pods := cache.NewIndexer[*corev1.Pod]()
	pods.Add(pod("web", "n1", "1"), pod("db", "n2", "2"))
	pods.Delete(pod("db", "", ""))

	_, ok := pods.Get(types.NamespacedName{Namespace: "default", Name: "web"})
	fmt.Println(pods.Len(), ok)
	// Output: 1 true
}

// A snapshot stays as it is, whatever happens to the indexer.
func ExampleIndexer_Snapshot() {
	pods := cache.NewIndexer[*corev1.Pod]()
	pods.Add(pod("web", "n1", "1"))

	snapshot := pods.Snapshot()
	pods.Add(pod("db", "n2", "2"))
	fmt.Println(snapshot.Len(), pods.Len())
	for pod := range snapshot.InNamespace("default") {
		fmt.Println(pod.Name)
	}
	// Output:
	// 1 2
	// web
}

// Select works on everything that yields objects.
func ExampleSelect() {
	pods := cache.NewIndexer[*corev1.Pod]()
	pods.Add(pod("web", "n1", "1"), pod("db", "n2", "2"))

	selector := labels.SelectorFromSet(labels.Set{"app": "web"})
	for pod := range cache.Select(pods.InNamespace("default"), selector) {
		fmt.Println(pod.Name)
	}
	// Output: web
}

// An index finds objects by a value of any comparable type.
func ExampleAddIndex() {
	pods := cache.NewIndexer[*corev1.Pod]()
	byNode := cache.AddIndex(pods, "node", func(pod *corev1.Pod) ([]string, error) {
		return []string{pod.Spec.NodeName}, nil
	})

	pods.Add(pod("web", "n1", "1"), pod("db", "n2", "2"))
	for pod := range byNode.Lookup("n1") {
		fmt.Println(pod.Name)
	}
	fmt.Println(byNode.Count("n2"), slices.Sorted(byNode.Values()))
	// Output:
	// web
	// 1 [n1 n2]
}

// A prefix index also finds objects by the beginning of a value.
func ExampleAddPrefixIndex() {
	pods := cache.NewIndexer[*corev1.Pod]()
	byNode := cache.AddPrefixIndex(pods, "node", func(pod *corev1.Pod) ([]string, error) {
		return []string{pod.Spec.NodeName}, nil
	})

	pods.Add(pod("web", "zone-a-1", "1"), pod("db", "zone-a-2", "2"), pod("log", "zone-b-1", "3"))
	for node, pod := range byNode.Prefix("zone-a") {
		fmt.Println(node, pod.Name)
	}
	// Output:
	// zone-a-1 web
	// zone-a-2 db
}

// A controller that has written waits until its cache has the write.
func ExampleIndexer_WaitUntil() {
	pods := cache.NewIndexer[*corev1.Pod]()
	go pods.Apply(cache.Batch[*corev1.Pod]{ // an informer does it
		Deltas:          []cache.Delta[*corev1.Pod]{{Type: cache.DeltaAdded, Object: pod("web", "n1", "7")}},
		ResourceVersion: "7",
	})

	written := "7" // as the API server has returned it
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fmt.Println(pods.WaitUntil(ctx, written), pods.Len())
	// Output: <nil> 1
}

// A loop may take the place of a handler.
func ExampleInformer_SubscribeBatches() {
	clients := fake.NewClientset(pod("web", "n1", "1"), pod("db", "n2", "2"))
	pods := cache.NewInformer(cache.FromClient(clients.CoreV1().Pods("")), cache.Config{})
	subscription := pods.SubscribeBatches(cache.SubscribeOptions{Name: "printer"})
	defer subscription.Stop()

	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- pods.Run(ctx) }()
	for events := range subscription.Batches(ctx) {
		fmt.Println(len(events), "events")
		break
	}
	for _, status := range pods.Subscriptions() {
		fmt.Println(status.Name, "has synced:", status.Synced)
	}
	cancel()
	fmt.Println(<-stopped)
	// Output:
	// 2 events
	// printer has synced: true
	// <nil>
}

// When the subscription is to last as long as the loop, it needs no name.
func ExampleInformer_Batches() {
	clients := fake.NewClientset(pod("web", "n1", "1"), pod("db", "n2", "2"))
	pods := cache.NewInformer(cache.FromClient(clients.CoreV1().Pods("")), cache.Config{})

	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- pods.Run(ctx) }()
	for events := range pods.Batches(ctx) {
		fmt.Println(len(events), "events")
		break
	}
	cancel()
	fmt.Println(<-stopped)
	// Output:
	// 2 events
	// <nil>
}

// A queue subscribes by its keys.
func ExampleEnqueue() {
	clients := fake.NewClientset(pod("web", "n1", "1"))
	pods := cache.NewInformer(cache.FromClient(clients.CoreV1().Pods("")), cache.Config{})
	work := queue.New(queue.Config[types.NamespacedName]{})
	subscription := pods.Subscribe("queue", cache.Enqueue[*corev1.Pod](work))

	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- pods.Run(ctx) }()
	fmt.Println(subscription.WaitForSync(ctx), work.Len())
	cancel()
	fmt.Println(<-stopped)
	// Output:
	// <nil> 1
	// <nil>
}

// A controller that has created an object reads its cache only when that has it.
func ExampleIndexer_WaitForObject() {
	pods := cache.NewIndexer[*corev1.Pod]()
	written := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", ResourceVersion: "7"}}
	go pods.Add(written) // the watch brings it

	err := pods.WaitForObject(context.Background(), written)
	_, ok := pods.Get(cache.KeyOf(written))
	fmt.Println(ok, err)
	// Output: true <nil>
}
