package cache_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
	typedstablev1 "github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned/typed/stable/v1"
)

// A site is a namespace of a real server with some history of pods, config maps and cron tabs.
type site struct {
	t         *testing.T
	namespace string
	before    string // resource version of before the history; of cron tabs the server has none that is older
	config    *rest.Config
	kube      kubernetes.Interface
	stable    versioned.Interface
	dynamic   dynamic.Interface
	metadata  metadata.Interface
}

func newSite(t *testing.T) *site {
	t.Helper()
	controlplanetest.InstallCRD(t, "../generated/crds/stable.example.com_crontabs.yaml")
	config := controlplanetest.Config(t)
	config.QPS = -1
	http := controlplanetest.HTTPClient(t, config)
	s := &site{t: t, config: config, namespace: controlplanetest.Namespace(t)}
	var failed [4]error
	s.kube, failed[0] = kubernetes.NewForConfigAndClient(config, http)
	s.stable, failed[1] = versioned.NewForConfigAndClient(config, http)
	s.dynamic, failed[2] = dynamic.NewForConfigAndClient(config, http)
	s.metadata, failed[3] = metadata.NewForConfigAndClient(config, http)
	s.must(errors.Join(failed[:]...))
	s.write()
	return s
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) client(version schema.GroupVersion) rest.Interface {
	s.t.Helper()
	client, err := rest.RESTClientForConfigAndClient(cache.ConfigFor(s.config, version), controlplanetest.HTTPClient(s.t, s.config))
	s.must(err)
	return client
}

// writes is how many events each kind has in the history.
const writes = 5

// write makes the history: three objects of each kind are created, the first is changed, the second deleted.
func (s *site) write() {
	ctx := s.t.Context()
	list, err := s.stable.StableV1().CronTabs(s.namespace).List(ctx, metav1.ListOptions{})
	s.must(err)
	s.before = list.ResourceVersion
	for _, name := range []string{"one", "two", "three"} {
		meta := metav1.ObjectMeta{Name: name, Labels: map[string]string{"test": "ours"}, Annotations: map[string]string{"text": "\"é\n"}}
		_, err := s.kube.CoreV1().ConfigMaps(s.namespace).Create(ctx, &corev1.ConfigMap{
			ObjectMeta: meta, Data: map[string]string{"a": "b"}, BinaryData: map[string][]byte{"c": {0, 255}},
		}, metav1.CreateOptions{})
		s.must(err)
		_, err = s.kube.CoreV1().Pods(s.namespace).Create(ctx, &corev1.Pod{
			ObjectMeta: meta, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "busybox"}}},
		}, metav1.CreateOptions{})
		s.must(err)
		_, err = s.stable.StableV1().CronTabs(s.namespace).Create(ctx, &stablev1.CronTab{
			ObjectMeta: meta, Spec: stablev1.CronTabSpec{Schedule: "@hourly", Image: "busybox"},
		}, metav1.CreateOptions{})
		s.must(err)
	}
	patch, now := []byte(`{"metadata":{"labels":{"changed":"yes"}}}`), metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}
	for _, resource := range []schema.GroupVersionResource{
		corev1.SchemeGroupVersion.WithResource("configmaps"), corev1.SchemeGroupVersion.WithResource("pods"),
		stablev1.SchemeGroupVersion.WithResource("crontabs"),
	} {
		client := s.metadata.Resource(resource).Namespace(s.namespace)
		_, err := client.Patch(ctx, "one", types.MergePatchType, patch, metav1.PatchOptions{})
		s.must(err)
		s.must(client.Delete(ctx, "two", now))
	}
}

// A source has what client-go's own client has, object for object and event for event, whatever the encoding.
func TestRealServerSourcesAgreeWithClientGo(t *testing.T) {
	s := newSite(t)
	core, stable := s.client(corev1.SchemeGroupVersion), s.client(stablev1.SchemeGroupVersion)
	cronTabs := stablev1.SchemeGroupVersion.WithResource("crontabs")
	for _, encoding := range append(encodings(), cache.AutoEncoding) {
		options := cache.RESTOptions{Namespace: s.namespace, Encoding: encoding}
		t.Run("encoding="+string(encoding), func(t *testing.T) {
			agree(t, s, "pods", cache.FromREST[*corev1.Pod](core, "pods", options),
				cache.FromClient(struct{ typedcorev1.PodInterface }{s.kube.CoreV1().Pods(s.namespace)}))
			agree(t, s, "config maps", cache.FromREST[configMap](core, "configmaps", options),
				cache.FromClient(struct{ typedcorev1.ConfigMapInterface }{s.kube.CoreV1().ConfigMaps(s.namespace)}))
			agree(t, s, "cron tabs", cache.FromREST[cronTab](stable, "crontabs", options),
				cache.FromClient(struct{ typedstablev1.CronTabInterface }{s.stable.StableV1().CronTabs(s.namespace)}))
			agree(t, s, "metadata of pods", cache.FromREST[*metav1.PartialObjectMetadata](core, "pods", options),
				cache.FromMetadata(s.metadata.Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace(s.namespace)))
			agree(t, s, "metadata of cron tabs", cache.FromREST[*metav1.PartialObjectMetadata](stable, "crontabs", options),
				cache.FromMetadata(s.metadata.Resource(cronTabs).Namespace(s.namespace)))
			agree(t, s, "unstructured pods", cache.FromREST[*unstructured.Unstructured](core, "pods", options),
				cache.FromDynamic(s.dynamic.Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace(s.namespace)))
			agree(t, s, "unstructured cron tabs", cache.FromREST[*unstructured.Unstructured](stable, "crontabs", options),
				cache.FromDynamic(s.dynamic.Resource(cronTabs).Namespace(s.namespace)))
		})
	}
	agree(t, s, "discovered pods", cache.FromClient(s.kube.CoreV1().Pods(s.namespace)).(cache.Streamer[*corev1.Pod]),
		cache.FromClient(struct{ typedcorev1.PodInterface }{s.kube.CoreV1().Pods(s.namespace)}))
	agree(t, s, "discovered cron tabs", cache.FromClients(s.stable.StableV1().CronTabs)(s.namespace).(cache.Streamer[cronTab]),
		cache.FromClient(struct{ typedstablev1.CronTabInterface }{s.stable.StableV1().CronTabs(s.namespace)}))
}

func agree[T cache.Object](t *testing.T, s *site, what string, got cache.Streamer[T], want cache.ListerWatcher[T]) {
	t.Helper()
	if got, want := listed(t, got.List), listed(t, want.List); !reflect.DeepEqual(got, want) {
		t.Errorf("%s are listed otherwise: %s", what, diff.Diff(want, got))
	}
	if got, want := seen(t, s, got), plainlySeen(t, s, want); !reflect.DeepEqual(got, want) {
		t.Errorf("%s are watched otherwise: %s", what, diff.Diff(want, got))
	}
}

// listed returns what pages of two have.
func listed[T cache.Object](t *testing.T, list func(context.Context, metav1.ListOptions) (cache.Page[T], error)) []T {
	t.Helper()
	opts := metav1.ListOptions{Limit: 1, LabelSelector: "test=ours"}
	var items []T
	for {
		page, err := list(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			items = append(items, plain(item))
		}
		if opts.Continue = page.Continue; opts.Continue == "" {
			return items
		}
	}
}

// plain takes the type from a typed object: client-go leaves it in lists of custom resources and nowhere else.
func plain[T cache.Object](obj T) T {
	if _, ok := any(obj).(*unstructured.Unstructured); !ok {
		obj.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	return obj
}

func (s *site) history() metav1.ListOptions {
	return metav1.ListOptions{ResourceVersion: s.before, LabelSelector: "test=ours"}
}

func seen[T cache.Object](t *testing.T, s *site, source cache.Streamer[T]) []cache.StreamEvent[T] {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), controlplanetest.Patience)
	defer cancel()
	stream, err := source.StreamWatch(ctx, cache.Request[T]{ListOptions: s.history()})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	var events []cache.StreamEvent[T]
	for range writes {
		event, err := stream.Next()
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, event)
	}
	return events
}

func plainlySeen[T cache.Object](t *testing.T, s *site, source cache.ListerWatcher[T]) []cache.StreamEvent[T] {
	t.Helper()
	stream, err := source.Watch(t.Context(), s.history())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Stop()
	var events []cache.StreamEvent[T]
	for range writes {
		select {
		case event := <-stream.ResultChan():
			events = append(events, cache.StreamEvent[T]{Type: event.Type, Object: event.Object.(T)})
		case <-time.After(controlplanetest.Patience):
			t.Fatalf("only %d events came", len(events))
		}
	}
	return events
}

func TestRealServerListsIdentities(t *testing.T) {
	s := newSite(t)
	source := cache.FromClient(s.stable.StableV1().CronTabs(s.namespace)).(cache.IdentityLister)
	var got []cache.Identity
	page, err := source.ListIdentities(t.Context(), metav1.ListOptions{}, func(id cache.Identity) { got = append(got, id) })
	s.must(err)
	list, err := s.stable.StableV1().CronTabs(s.namespace).List(t.Context(), metav1.ListOptions{})
	s.must(err)
	var want []cache.Identity
	for n := range list.Items {
		want = append(want, cache.IdentityOf(&list.Items[n]))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || page.ResourceVersion == "" {
		t.Errorf("got %v at %q, want %v", got, page.ResourceVersion, want)
	}
}

// A server that ends a watch in time, one that refuses a version, and one that lacks a kind.
func TestRealServerEndsStreams(t *testing.T) {
	s := newSite(t)
	source := cache.FromREST[cronTab](s.client(stablev1.SchemeGroupVersion), "crontabs", cache.RESTOptions{})
	request := cache.Request[cronTab]{ListOptions: metav1.ListOptions{TimeoutSeconds: new(int64(1)), AllowWatchBookmarks: true}}
	if _, err := drain(openStream(t, source, request)); err != nil && err.Error() != "EOF" {
		t.Errorf("the stream ended with %v", err)
	}
	request.ResourceVersion = "1"
	stream, err := source.StreamWatch(t.Context(), request)
	if err == nil {
		_, err = stream.Next()
		stream.Close()
	}
	if !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
		t.Errorf("the error is %v, want that the version is gone", err)
	}
	_, err = cache.FromREST[cronTab](s.client(schema.GroupVersion{Group: "none.example.com", Version: "v1"}), "crontabs", cache.RESTOptions{}).List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the error is %v, want that there is no such resource", err)
	}
}
