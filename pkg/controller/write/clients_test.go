package write_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
	crontabfake "github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned/fake"
)

// All clients fit, and T need not be named.
func TestClientsFit(t *testing.T) {
	var clients kubernetes.Interface = fake.NewClientset()
	var crontabs versioned.Interface = crontabfake.NewClientset()
	gvr := schema.GroupVersionResource{Group: "stable.example.com", Version: "v1", Resource: "crontabs"}
	kinds := map[schema.GroupVersionResource]string{gvr: "CronTabList"}
	dynamic := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds)

	write.New(clients.CoreV1().Pods, cache.NewIndexer[*corev1.Pod](), write.Config{})
	write.New(clients.AppsV1().Deployments, nil, write.Config{})
	write.New(crontabs.StableV1().CronTabs, nil, write.Config{})
	write.NewClusterScoped(clients.CoreV1().Namespaces(), cache.NewIndexer[*corev1.Namespace](), write.Config{})
	write.New(write.Dynamic(dynamic.Resource(gvr)), cache.NewIndexer[*unstructured.Unstructured](), write.Config{})
	write.NewClusterScoped(write.Dynamic(dynamic.Resource(gvr))(""), nil, write.Config{})
}

func TestADynamicClientWritesIntoItsNamespace(t *testing.T) {
	gvr := schema.GroupVersionResource{Group: "stable.example.com", Version: "v1", Resource: "crontabs"}
	kinds := map[schema.GroupVersionResource]string{gvr: "CronTabList"}
	client := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds)
	w := write.New(write.Dynamic(client.Resource(gvr)), nil, write.Config{})

	obj := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "stable.example.com/v1", "kind": "CronTab",
		"metadata": map[string]any{"namespace": "default", "name": "a"},
	}}
	spec := func(image string) func(*unstructured.Unstructured) error {
		return func(obj *unstructured.Unstructured) error {
			return unstructured.SetNestedField(obj.Object, image, "spec", "image")
		}
	}
	for n, want := range []write.Effect{write.Created, write.Unchanged} {
		if _, effect, err := w.CreateOrUpdate(t.Context(), obj, spec("a:1")); err != nil || effect != want {
			t.Fatalf("call %d: %v, %v; want %v", n+1, effect, err, want)
		}
	}
	got := want[*unstructured.Unstructured](t, write.Updated)(w.Change(t.Context(), obj, spec("a:2")))
	if image, _, _ := unstructured.NestedString(got.Object, "spec", "image"); image != "a:2" {
		t.Errorf("the image is %q", image)
	}
	got.SetUID("u") // which the fake does not give
	if err := w.DeleteWith(t.Context(), got, write.DeleteOptions{AnyVersion: true}); err != nil {
		t.Error(err)
	}
	if _, err := client.Resource(gvr).Namespace("default").Get(t.Context(), "a", metav1.GetOptions{}); err == nil {
		t.Error("the object is still there")
	}
}
