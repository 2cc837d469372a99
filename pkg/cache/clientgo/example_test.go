package clientgo_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"

	"github.com/sluice-k8s/sluice/pkg/cache/clientgo"
)

// Kubernetes' own factory, with its typed listers, on Sluice: one call for each type, before anything else.
func ExampleUse() {
	ctx, cancel := context.WithCancel(context.Background())
	clientset := fake.NewClientset(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a"}})
	factory := informers.NewSharedInformerFactory(clientset, 0)
	err := clientgo.Use(factory, &corev1.Pod{}, func(client kubernetes.Interface) cache.ListerWatcher {
		return clientgo.FromClient(client.CoreV1().Pods(metav1.NamespaceAll))
	}, cache.SharedIndexInformerOptions{})
	if err != nil {
		panic(err)
	}

	// What follows knows client-go only.
	pods := factory.Core().V1().Pods()
	handle, err := pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { fmt.Println("added:", obj.(*corev1.Pod).Name) },
	})
	if err != nil {
		panic(err)
	}
	factory.StartWithContext(ctx)
	cache.WaitFor(ctx, "pods", handle.HasSyncedChecker())
	listed, err := pods.Lister().Pods("default").List(labels.Everything())
	fmt.Println("listed:", len(listed), err)
	cancel()
	factory.Shutdown()
	// Output:
	// added: a
	// listed: 1 <nil>
}

func ExampleNewIndexer() {
	pods := clientgo.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{
		"node": func(obj any) ([]string, error) { return []string{obj.(*corev1.Pod).Spec.NodeName}, nil },
	})
	for _, name := range []string{"a", "b"} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Spec: corev1.PodSpec{NodeName: "n1"}}
		if err := pods.Add(pod); err != nil {
			panic(err)
		}
	}
	keys, err := pods.IndexKeys("node", "n1")
	fmt.Println(keys, err)
	// Output: [default/a default/b] <nil>
}
