package cache_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	metadatafake "k8s.io/client-go/metadata/fake"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
)

const coreResources = `{"kind":"APIResourceList","groupVersion":"v1","resources":[
	{"name":"namespaces/pods","kind":"Pod","verbs":["list"]},
	{"name":"bindings","kind":"Pod","verbs":["create"]},
	{"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod","verbs":["get","list","watch"]},
	{"name":"pods/status","kind":"Pod","verbs":["get"]}]}`

const stableResources = `{"kind":"APIResourceList","groupVersion":"stable.example.com/v1","resources":[
	{"name":"crontabs","kind":"CronTab","verbs":["get","list","watch"]}]}`

func (s *script) kubernetes() kubernetes.Interface {
	s.t.Helper()
	clients, err := kubernetes.NewForConfigAndClient(s.config, s.http)
	if err != nil {
		s.t.Fatal(err)
	}
	return clients
}

func (s *script) stable() versioned.Interface {
	s.t.Helper()
	clients, err := versioned.NewForConfigAndClient(s.config, s.http)
	if err != nil {
		s.t.Fatal(err)
	}
	return clients
}

// The name of the resource is asked once, before the first list.
func TestFromClientDiscovers(t *testing.T) {
	list := answer{body: encode(t, cache.ProtobufEncoding, podList(metav1.ListMeta{ResourceVersion: "9"}, somePod("one", "1")))}
	server := newScript(t, answer{body: coreResources}, list, list)
	source, ok := cache.FromClient(server.kubernetes().CoreV1().Pods("default")).(cache.Streamer[*corev1.Pod])
	if !ok {
		t.Fatal("a client of client-go is not read from as bytes")
	}
	for range 2 {
		if pods, _ := contents(t, source, cache.Request[*corev1.Pod]{}); !slices.Equal(namesOf(pods), []string{"one"}) {
			t.Errorf("got %q", namesOf(pods))
		}
	}
	server.expectRequests("/api/v1", "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/pods")
}

// Sources of several namespaces ask together.
func TestFromClientsDiscoversOnce(t *testing.T) {
	list := answer{body: jsonList("stable.example.com/v1", "CronTabList", goodObject)}
	server := newScript(t, answer{body: stableResources}, list, list)
	cronTabs := cache.FromClients(server.stable().StableV1().CronTabs)
	for _, namespace := range []string{"a", "b"} {
		if page, err := cronTabs(namespace).List(t.Context(), metav1.ListOptions{}); err != nil || len(page.Items) != 1 {
			t.Errorf("got %v, %v", page, err)
		}
	}
	const root = "/apis/stable.example.com/v1"
	server.expectRequests(root, root+"/namespaces/a/crontabs", root+"/namespaces/b/crontabs")
}

// A definition that is missing is missed with each request, until it is there, and again when it is gone.
func TestFromClientMissesItsResource(t *testing.T) {
	gone := statusAnswer(http.StatusNotFound, metav1.StatusReasonNotFound, "the server could not find the requested resource")
	server := newScript(t,
		gone, // no such group
		answer{body: `{"kind":"APIResourceList","resources":[]}`}, // no such kind
		answer{body: stableResources}, answer{body: jsonList("stable.example.com/v1", "CronTabList")},
		gone, // the list
		gone, // no such group
	)
	source := cache.FromClient(server.stable().StableV1().CronTabs(""))
	const missing = "no such resource: kind CronTab in stable.example.com/v1: is the CRD installed?"
	for _, want := range []string{
		missing, missing, "",
		"no such resource: crontabs in stable.example.com/v1: is the CRD installed?: the server could not find the requested resource",
		missing,
	} {
		_, err := source.List(t.Context(), metav1.ListOptions{})
		if want == "" && err == nil {
			continue
		}
		if !apierrors.IsNotFound(err) || err.Error() != want {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
}

// Without the right to ask it is guessed.
func TestFromClientGuesses(t *testing.T) {
	server := newScript(t,
		statusAnswer(http.StatusForbidden, metav1.StatusReasonForbidden, "no"), answer{body: jsonList("networking.k8s.io/v1", "NetworkPolicyList")},
	)
	if _, err := cache.FromClient(server.kubernetes().NetworkingV1().NetworkPolicies("")).List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
	server.expectRequests("/apis/networking.k8s.io/v1", "/apis/networking.k8s.io/v1/networkpolicies")
}

func TestFromClientIsNotAnswered(t *testing.T) {
	server := newScript(t,
		statusAnswer(http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "who?"),
		answer{status: http.StatusTooManyRequests, header: map[string]string{"Retry-After": "3600"}},
		answer{body: "<html>"},
	)
	source := cache.FromClient(server.kubernetes().CoreV1().Pods(""))
	if _, err := source.List(t.Context(), metav1.ListOptions{}); !apierrors.IsUnauthorized(err) {
		t.Errorf("the error is %v", err)
	}
	if _, err := source.List(t.Context(), metav1.ListOptions{}); !apierrors.IsTooManyRequests(err) {
		t.Errorf("the error is %v", err)
	}
	if _, err := source.List(t.Context(), metav1.ListOptions{}); err == nil {
		t.Error("nonsense is understood")
	}
	server.expectRequests("/api/v1", "/api/v1", "/api/v1")
}

func TestFromClientIsCancelledWhileItAsks(t *testing.T) {
	server := newScript(t, answer{body: `{"kind":"APIResourceList","resources":[{`, hangs: true})
	source := cache.FromClient(server.kubernetes().CoreV1().Pods(""))
	ctx, cancel := context.WithCancelCause(t.Context())
	var failures [2]error
	var group sync.WaitGroup
	for n := range failures { // one asks, the other waits
		group.Go(func() { _, failures[n] = source.List(ctx, metav1.ListOptions{}) })
	}
	cancel(errGoAway)
	group.Wait()
	for _, err := range failures {
		expectCause(t, err)
	}
}

// Fakes have no bytes to read, nor have clients of nothing. A wrapper hides what it wraps: its own methods count.
func TestFromClientOfOthers(t *testing.T) {
	clients := fake.NewClientset(somePod("one", "1"))
	wrapper := struct{ typedcorev1.PodInterface }{newScript(t).kubernetes().CoreV1().Pods("")}
	for _, source := range []cache.ListerWatcher[*corev1.Pod]{
		cache.FromClient(clients.CoreV1().Pods("")), cache.FromClients(clients.CoreV1().Pods)("default"), cache.FromClient(wrapper),
		cache.FromClient(typedcorev1.New(nil).Pods("")), cache.FromClient(typedcorev1.New((*rest.RESTClient)(nil)).Pods("")),
	} {
		if _, ok := source.(cache.Streamer[*corev1.Pod]); ok {
			t.Errorf("%T is read from as bytes", source)
		}
	}
	page, err := cache.FromClients(clients.CoreV1().Pods)("default").List(t.Context(), metav1.ListOptions{})
	if err != nil || !slices.Equal(namesOf(page.Items), []string{"one"}) {
		t.Errorf("got %v, %v", page, err)
	}
}

func TestFromDynamic(t *testing.T) {
	client := dynamicfake.NewSimpleDynamicClient(runtime.NewScheme(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": map[string]any{"namespace": "default", "name": "one"},
	}})
	resource := client.Resource(stablev1.SchemeGroupVersion.WithResource("crontabs"))
	for _, source := range []cache.ListerWatcher[*unstructured.Unstructured]{cache.FromDynamic(resource), cache.FromDynamic(resource.Namespace("default"))} {
		page, err := source.List(t.Context(), metav1.ListOptions{})
		if err != nil || !slices.Equal(namesOf(page.Items), []string{"one"}) {
			t.Errorf("got %v, %v", page, err)
		}
	}
}

func TestFromMetadata(t *testing.T) {
	scheme := metadatafake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	client := metadatafake.NewSimpleMetadataClient(scheme, &metav1.PartialObjectMetadata{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "one"},
	})
	resource := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"})
	page, err := cache.FromMetadata(resource.Namespace("default")).List(t.Context(), metav1.ListOptions{})
	if err != nil || !slices.Equal(namesOf(page.Items), []string{"one"}) {
		t.Errorf("got %v, %v", page, err)
	}
}

// The client's rate limit holds up lists. To wait for it before a watch would look like a server that is silent, and hundreds
// of informers that start together would wait for minutes.
func TestFromClientWatchesWithoutRateLimit(t *testing.T) {
	server := newScript(t, answer{body: coreResources}, answer{body: "", hangs: true})
	server.config.RateLimiter = flowcontrol.NewFakeNeverRateLimiter()
	pods := cache.FromClient(server.kubernetes().CoreV1().Pods("")).(cache.Streamer[*corev1.Pod])
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := pods.StreamWatch(ctx, cache.Request[*corev1.Pod]{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	stream.Close()
}

// A client says no more than that the server could not find it.
func TestFromDynamicOfWhatDoesNotExist(t *testing.T) {
	missing := answer{status: http.StatusNotFound, body: "404 page not found\n"}
	server := newScript(t, missing, missing)
	client, err := dynamic.NewForConfigAndClient(server.config, server.http)
	if err != nil {
		t.Fatal(err)
	}
	source := cache.FromDynamic(client.Resource(stablev1.SchemeGroupVersion.WithResource("crontabs")))
	_, listing := source.List(t.Context(), metav1.ListOptions{})
	_, watching := source.Watch(t.Context(), metav1.ListOptions{})
	for _, err := range []error{listing, watching} {
		if !apierrors.IsNotFound(err) || !strings.Contains(err.Error(), "no such resource: is the CRD installed?") {
			t.Errorf("the error is %v", err)
		}
	}
}
