package cache_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
)

// Pods, and whatever else Kubernetes comes with.
func ExampleFromClient() {
	config, stop := exampleServer()
	defer stop()
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		panic(err)
	}
	pods := cache.NewInformer(cache.FromClient(clients.CoreV1().Pods("")), cache.Config{})
	printKeys(pods)
	// Output: blue/web green/web
}

// A kind of one's own, through the client that was generated for it.
func ExampleFromClient_generated() {
	config, stop := exampleServer()
	defer stop()
	clients, err := versioned.NewForConfig(config)
	if err != nil {
		panic(err)
	}
	cronTabs := cache.NewInformer(cache.FromClient(clients.StableV1().CronTabs("")), cache.Config{})
	printKeys(cronTabs)
	// Output: blue/nightly
}

// In tests, a fake clientset stands in.
func ExampleFromClient_fake() {
	clients := fake.NewClientset(pod("web", "n1", "1"))
	pods := cache.NewInformer(cache.FromClient(clients.CoreV1().Pods("")), cache.Config{})
	printKeys(pods)
	// Output: default/web
}

// Some namespaces, each with a source of its own.
func ExampleFromClients() {
	config, stop := exampleServer()
	defer stop()
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		panic(err)
	}
	pods := cache.FromClients(clients.CoreV1().Pods)
	for _, namespace := range []string{"blue", "green"} {
		printKeys(cache.NewInformer(pods(namespace), cache.Config{Name: "pods of " + namespace}))
	}
	// Output:
	// blue/web
	// green/web
}

// Some namespaces in one informer, of which others may be made later, by SetNamespaces.
func ExampleNewNamespacedInformer() {
	config, stop := exampleServer()
	defer stop()
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		panic(err)
	}
	namespaces := []string{"blue", "green"}
	pods, err := cache.NewNamespacedInformer(cache.FromClients(clients.CoreV1().Pods), namespaces, cache.Config{})
	if err != nil {
		panic(err)
	}
	if err := pods.SetNamespaces("green"); err != nil {
		panic(err)
	}
	printKeys(pods.Informer)
	// Output: green/web
}

// With options: nobody here reads managed fields, so they are not even decoded.
func ExampleFromREST() {
	config, stop := exampleServer()
	defer stop()
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		panic(err)
	}
	source := cache.FromREST[*corev1.Pod](clients.CoreV1().RESTClient(), "pods", cache.RESTOptions{DropManagedFields: true})
	printKeys(cache.NewInformer(source, cache.Config{}))
	printKeys(cache.NewInformer(source.In("blue"), cache.Config{}))
	// Output:
	// blue/web green/web
	// blue/web
}

// Objects without a Go type.
func ExampleFromREST_unstructured() {
	config, stop := exampleServer()
	defer stop()
	client, err := rest.RESTClientFor(cache.ConfigFor(config, stablev1.SchemeGroupVersion))
	if err != nil {
		panic(err)
	}
	source := cache.FromREST[*unstructured.Unstructured](client, "crontabs", cache.RESTOptions{})
	printKeys(cache.NewInformer(source, cache.Config{}))
	// Output: blue/nightly
}

// Nothing but the metadata of pods. The server leaves out the rest.
func ExampleFromREST_metadata() {
	config, stop := exampleServer()
	defer stop()
	client, err := rest.RESTClientFor(cache.ConfigFor(config, corev1.SchemeGroupVersion))
	if err != nil {
		panic(err)
	}
	source := cache.FromREST[*metav1.PartialObjectMetadata](client, "pods", cache.RESTOptions{})
	printKeys(cache.NewInformer(source, cache.Config{}))
	// Output: blue/web green/web
}

func ExampleFromDynamic() {
	config, stop := exampleServer()
	defer stop()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		panic(err)
	}
	source := cache.FromDynamic(client.Resource(stablev1.SchemeGroupVersion.WithResource("crontabs")))
	printKeys(cache.NewInformer(source, cache.Config{}))
	// Output: blue/nightly
}

func ExampleFromMetadata() {
	config, stop := exampleServer()
	defer stop()
	client, err := metadata.NewForConfig(config)
	if err != nil {
		panic(err)
	}
	source := cache.FromMetadata(client.Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace("blue"))
	printKeys(cache.NewInformer(source, cache.Config{}))
	// Output: blue/web
}

// What is there, and in which version, without the objects.
func ExampleRESTSource_ListIdentities() {
	config, stop := exampleServer()
	defer stop()
	client, err := rest.RESTClientFor(cache.ConfigFor(config, corev1.SchemeGroupVersion))
	if err != nil {
		panic(err)
	}
	source := cache.FromREST[*corev1.Pod](client, "pods", cache.RESTOptions{})
	page, err := source.ListIdentities(context.Background(), metav1.ListOptions{}, func(id cache.Identity) {
		fmt.Println(id.Key, id.UID, id.ResourceVersion)
	})
	fmt.Println("at", page.ResourceVersion, err)
	// Output:
	// blue/web u1 3
	// green/web u2 4
	// at 9 <nil>
}

// exampleServer serves some pods and a CronTab, and watches in which nothing happens.
func exampleServer() (*rest.Config, func()) {
	const (
		blue    = `{"metadata":{"namespace":"blue","name":"web","uid":"u1","resourceVersion":"3"}}`
		green   = `{"metadata":{"namespace":"green","name":"web","uid":"u2","resourceVersion":"4"}}`
		cronTab = `{"apiVersion":"stable.example.com/v1","kind":"CronTab","metadata":{"namespace":"blue","name":"nightly","uid":"u3","resourceVersion":"5"}}`
	)
	answers := map[string]string{
		"/api/v1":                       coreResources,
		"/api/v1/pods":                  jsonList("v1", "PodList", blue, green),
		"/api/v1/namespaces/blue/pods":  jsonList("v1", "PodList", blue),
		"/api/v1/namespaces/green/pods": jsonList("v1", "PodList", green),

		"/apis/stable.example.com/v1":          stableResources,
		"/apis/stable.example.com/v1/crontabs": jsonList("stable.example.com/v1", "CronTabList", cronTab),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Has("sendInitialEvents") {
			http.Error(w, "this server lists", http.StatusBadRequest)
			return
		}
		if r.URL.Query().Has("watch") {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		_, _ = w.Write([]byte(answers[r.URL.Path]))
	}))
	return &rest.Config{Host: server.URL}, server.Close
}

// printKeys runs an informer until it is in sync and prints what it has.
func printKeys[T cache.Object](informer *cache.Informer[T]) {
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- informer.Run(ctx) }()
	if err := informer.WaitForSync(ctx); err != nil {
		fmt.Println(err)
	}
	var keys []string
	for obj := range informer.Indexer().All() {
		keys = append(keys, cache.KeyOf(obj).String())
	}
	slices.Sort(keys)
	cancel()
	if err := <-stopped; err != nil {
		fmt.Println(err)
	}
	fmt.Println(strings.Join(keys, " "))
}
