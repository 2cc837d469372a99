package factory_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/factory"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

func pod(namespace, name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
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
	pods, err := factory.Acquire(informers.Cluster("east"), cache.FromClients(east.CoreV1().Pods), factory.Options{})
	if err != nil {
		panic(err)
	}
	again, err := factory.Acquire(informers.Cluster("east"), cache.FromClients(east.CoreV1().Pods), factory.Options{})
	if err != nil {
		panic(err)
	}
	others, err := factory.Acquire(informers.Cluster("west"), cache.FromClients(west.CoreV1().Pods), factory.Options{})
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

// Namespaces that come and go: those that stay are not listed again.
func ExampleScope() {
	ctx, stop := context.WithCancel(context.Background())
	clients := fake.NewClientset(pod("a", "web"), pod("b", "db"), pod("c", "log"))
	tenants, err := factory.NewScope("tenants", "a", "b")
	if err != nil {
		panic(err)
	}
	informers := factory.New(factory.Config{})
	pods, err := factory.Acquire(informers.Cluster(""), cache.FromClients(clients.CoreV1().Pods), factory.Options{Scope: tenants})
	if err != nil {
		panic(err)
	}
	stopped := make(chan error)
	go func() { stopped <- informers.Run(ctx) }()
	fmt.Println(informers.WaitForSync(ctx), pods.Indexer().Len())

	fmt.Println(tenants.SetNamespaces("b"), pods.Indexer().Len())
	fmt.Println(pods.Identity(), tenants.Namespaces())
	stop()
	fmt.Println(<-stopped)
	// Output:
	// <nil> 2
	// <nil> 1
	// core/v1.Pod, scope tenants [b]
	// <nil>
}

// Custom resources by the dynamic client, or nothing but their metadata: the resource's name makes the difference.
func ExampleAcquire_dynamic() {
	resource := stablev1.SchemeGroupVersion.WithResource("crontabs")
	clients := dynamicfake.NewSimpleDynamicClient(scheme(), &stablev1.CronTab{
		TypeMeta:   metav1.TypeMeta{APIVersion: "stable.example.com/v1", Kind: "CronTab"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "nightly"},
	})
	open := func(namespace string) cache.ListerWatcher[*unstructured.Unstructured] {
		return cache.FromDynamic(clients.Resource(resource).Namespace(namespace))
	}
	informers := factory.New(factory.Config{})
	cronTabs, err := factory.Acquire(informers.Cluster(""), open, factory.Options{Resource: resource.GroupResource().String()})
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- informers.Run(ctx) }()
	fmt.Println(informers.WaitForSync(ctx))
	for cronTab := range cronTabs.Indexer().All() {
		fmt.Println(cronTabs.Identity(), cronTab.GetName())
	}
	stop()
	fmt.Println(<-stopped)
	// Output:
	// <nil>
	// crontabs.stable.example.com nightly
	// <nil>
}

func scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	if err := stablev1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	return scheme
}

// What is wrong, and with what.
func ExampleFactory_Ready() {
	ctx, stop := context.WithCancel(context.Background())
	clients := fake.NewClientset()
	clients.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(corev1.Resource("pods"), "", errors.New("no rights"))
	})
	failed := make(chan struct{})
	fail := sync.OnceFunc(func() { close(failed) })
	informers := factory.New(factory.Config{Informer: cache.Config{
		OnError: func(context.Context, error) { fail() }, // so that the example knows when
	}})
	if _, err := factory.Acquire(informers.Cluster("east"), cache.FromClients(clients.CoreV1().Pods), factory.Options{}); err != nil {
		panic(err)
	}
	if _, err := factory.Acquire(informers.Cluster("east"), cache.FromClients(clients.CoreV1().Secrets), factory.Options{}); err != nil {
		panic(err)
	}
	stopped := make(chan error)
	go func() { stopped <- informers.Run(ctx) }()
	<-failed
	for _, status := range informers.Statuses() {
		if status.Identity.Resource == "core/v1.Pod" {
			fmt.Println(status.Identity, "is forbidden:", apierrors.IsForbidden(status.Unready))
		}
	}
	stop()
	fmt.Println(<-stopped)
	// Output:
	// east/core/v1.Pod is forbidden: true
	// <nil>
}
