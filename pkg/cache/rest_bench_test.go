package cache_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// BenchmarkRESTSourceList reads a page of 5000 pods in protobuf, as client-go does, as a source does, and when all of them
// are cached already.
func BenchmarkRESTSourceList(b *testing.B) {
	clients, stop := servePods(b, 5000)
	defer stop()
	pods := clients.CoreV1().Pods("")
	source := cache.FromREST[*corev1.Pod](clients.CoreV1().RESTClient(), "pods", cache.RESTOptions{})
	known := map[cache.Identity]*corev1.Pod{}
	read := func(request cache.Request[*corev1.Pod], each func(cache.Item[*corev1.Pod])) {
		if _, err := source.StreamList(b.Context(), request, each); err != nil {
			b.Fatal(err)
		}
	}
	read(cache.Request[*corev1.Pod]{}, func(item cache.Item[*corev1.Pod]) { known[cache.IdentityOf(item.Object)] = item.Object })
	forget := func(cache.Item[*corev1.Pod]) {}
	for _, way := range []struct {
		name string
		read func()
	}{
		{"by=client-go", func() { plainly(b, pods) }},
		{"by=source", func() { read(cache.Request[*corev1.Pod]{}, forget) }},
		{"by=source,known", func() {
			read(cache.Request[*corev1.Pod]{Known: func(id cache.Identity) (*corev1.Pod, bool) { pod, ok := known[id]; return pod, ok }}, forget)
		}},
		{"by=source,identities", func() {
			if _, err := source.ListIdentities(b.Context(), metav1.ListOptions{}, func(cache.Identity) {}); err != nil {
				b.Fatal(err)
			}
		}},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				way.read()
			}
		})
	}
}

func plainly(b *testing.B, pods typedcorev1.PodInterface) {
	if _, err := pods.List(b.Context(), metav1.ListOptions{}); err != nil {
		b.Fatal(err)
	}
}

func servePods(b *testing.B, count int) (kubernetes.Interface, func()) {
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "9"}}
	for n := range count {
		pod := somePod(fmt.Sprintf("pod-%d", n), "1")
		for m := range 10 {
			pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{
				Name: fmt.Sprintf("container-%d", m), Image: "registry.example.com/team/image:v1", Env: []corev1.EnvVar{{Name: "A", Value: "B"}},
			})
		}
		list.Items = append(list.Items, *pod)
	}
	body := []byte(encode(b, cache.ProtobufEncoding, list))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", string(cache.ProtobufEncoding))
		_, _ = w.Write(body)
	}))
	clients, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		b.Fatal(err)
	}
	return clients, server.Close
}
