package factory_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/factory"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

func pod(namespace, name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

// podsOf opens sources of pods.
func podsOf(clients kubernetes.Interface) func(namespace string) cache.ListerWatcher[*corev1.Pod] {
	return func(namespace string) cache.ListerWatcher[*corev1.Pod] {
		return cache.FromClient(clients.CoreV1().Pods(namespace))
	}
}

// Two controllers share the pods of one cluster, and one of them reads those of another, too. When it ends, its leases do;
// the pods that nobody reads any more are let go.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	informers := factory.New(factory.Config{})
	running := make(chan error)
	go func() { running <- informers.Run(ctx) }()

	east, west := fake.NewClientset(pod("default", "web")), fake.NewClientset(pod("default", "db"))
	pods, err := factory.Acquire(informers.Cluster("east"), podsOf(east), factory.Options{})
	if err != nil {
		panic(err)
	}
	again, err := factory.Acquire(informers.Cluster("east"), podsOf(east), factory.Options{})
	if err != nil {
		panic(err)
	}
	others, err := factory.Acquire(informers.Cluster("west"), podsOf(west), factory.Options{})
	if err != nil {
		panic(err)
	}

	both, stopBoth := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- controller.Run(both, again, others, printer("both", again, others)) }()
	one := make(chan error)
	go func() { one <- controller.Run(ctx, pods, printer("one", pods)) }()

	fmt.Println(informers.WaitForSync(ctx))
	for _, status := range informers.Statuses() {
		fmt.Println(status.Identity, status.Leases)
	}
	stopBoth()
	fmt.Println(<-ended)
	for _, status := range informers.Statuses() {
		fmt.Println(status.Identity, status.Leases)
	}
	stop()
	fmt.Println(<-one, <-running)
	// Output:
	// <nil>
	// east/core/v1.Pod 2
	// west/core/v1.Pod 1
	// <nil>
	// east/core/v1.Pod 1
	// <nil> <nil>
}

// printer returns a controller of pods that does nothing.
func printer(name string, pods ...*factory.Lease[*corev1.Pod]) controller.Runner {
	config := controller.Config[types.NamespacedName]{
		Name:      name,
		Reconcile: func(context.Context, types.NamespacedName) controller.Result { return controller.Done() },
	}
	for _, lease := range pods {
		config.Sources = append(config.Sources, controller.For(lease.Informer))
	}
	c, err := controller.New(config)
	if err != nil {
		panic(err)
	}
	return c
}
