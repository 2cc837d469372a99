package clientgo_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	corelisters "k8s.io/client-go/listers/core/v1"

	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	engine "github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/clientgo"
	"github.com/sluice-k8s/sluice/pkg/cache/factory"
	stablefake "github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned/fake"
	stablelisters "github.com/sluice-k8s/sluice/pkg/generated/listers/stable/v1"
)

// Generated listers, those of Kubernetes and others, read what Sluice's informers hold. Beside each the same without.
func ExampleIndexerOf() {
	ctx, stop := context.WithCancel(context.Background())
	about := metav1.ObjectMeta{Namespace: "default", Name: "nightly", Labels: map[string]string{"team": "a"}}
	clients, stable := fake.NewClientset(&corev1.Pod{ObjectMeta: about}), stablefake.NewClientset(&stablev1.CronTab{ObjectMeta: about})

	informers := factory.New(factory.Config{})
	cluster := informers.Cluster("")
	podLease, err := factory.Acquire(cluster, engine.FromClients(clients.CoreV1().Pods), factory.Options{})
	if err != nil {
		panic(err)
	}
	cronTabLease, err := factory.Acquire(cluster, engine.FromClients(stable.StableV1().CronTabs), factory.Options{})
	if err != nil {
		panic(err)
	}
	pods := corelisters.NewPodLister(clientgo.IndexerOf(podLease.Indexer()))
	cronTabs := stablelisters.NewCronTabLister(clientgo.IndexerOf(cronTabLease.Indexer()))

	stopped := make(chan error)
	go func() { stopped <- informers.Run(ctx) }()
	fmt.Println(informers.WaitForSync(ctx))

	pod, err := pods.Pods("default").Get("nightly")
	fmt.Println(pod.Name, err)
	pod, ok := podLease.Indexer().Get(types.NamespacedName{Namespace: "default", Name: "nightly"})
	fmt.Println(pod.Name, ok)

	teamA := labels.SelectorFromSet(labels.Set{"team": "a"})
	found, err := cronTabs.CronTabs("default").List(teamA)
	fmt.Println(len(found), err)
	for cronTab := range engine.Select(cronTabLease.Indexer().InNamespace("default"), teamA) {
		fmt.Println(cronTab.Name)
	}
	stop()
	fmt.Println(<-stopped)
	// Output:
	// <nil>
	// nightly <nil>
	// nightly true
	// 1 <nil>
	// nightly
	// <nil>
}
