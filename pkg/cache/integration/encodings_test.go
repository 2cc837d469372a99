package integration_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/controlplane"
	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
)

// A dialect is what a server speaks.
type dialect struct {
	server    server
	cbor      bool
	watchList bool
	learned   *cache.Server // what the informers of the server have found out
}

func TestEncodings(t *testing.T) {
	gates := func(watchList bool) controlplane.Options {
		return controlplane.Options{FeatureGates: map[string]bool{"CBORServingAndStorage": true, "WatchList": watchList}}
	}
	own := func(t *testing.T, o controlplane.Options) server {
		t.Helper()
		return newServer(t, controlplanetest.OwnConfig(t, controlplanetest.Own(t, o)))
	}
	t.Run("as released", func(t *testing.T) {
		_, server := newPlane(t)
		speaks(t, dialect{server, false, true, &cache.Server{}})
	})
	t.Run("CBOR", func(t *testing.T) {
		t.Parallel() // on a control plane of its own
		speaks(t, dialect{own(t, gates(true)), true, true, &cache.Server{}})
	})
	t.Run("CBOR, no WatchList", func(t *testing.T) {
		t.Parallel()
		speaks(t, dialect{own(t, gates(false)), true, false, &cache.Server{}})
	})
}

// speaks reads built-in and custom resources in all forms.
func speaks(t *testing.T, d dialect) {
	t.Helper()
	newDefinition(t, d.server).install()
	namespace := d.server.newNamespace(t)
	builtIn, custom := configMaps(t, d.server, namespace), cronTabs(t, d.server, namespace)
	for _, h := range []hand{builtIn, custom} {
		h.puts("changed", "removed", "untouched")
	}
	core, stable := corev1.SchemeGroupVersion.WithResource("configmaps"), stablev1.SchemeGroupVersion.WithResource("crontabs")
	unsupported := 0
	for _, encoding := range []cache.Encoding{cache.AutoEncoding, cache.JSONEncoding, cache.ProtobufEncoding, cache.CBOREncoding} {
		t.Run("encoding="+string(encoding), func(t *testing.T) {
			unsupported += reads[configMap](t, d, builtIn, core, encoding)
			unsupported += reads[cronTab](t, d, custom, stable, encoding)
			for _, h := range []hand{builtIn, custom} {
				resource := map[bool]schema.GroupVersionResource{true: core, false: stable}[h.resource == builtIn.resource]
				unsupported += reads[*unstructured.Unstructured](t, d, h, resource, encoding)
				unsupported += reads[*metav1.PartialObjectMetadata](t, d, h, resource, encoding)
			}
		})
	}
	if want := map[bool]int{true: 0, false: 1}[d.watchList]; unsupported != want {
		t.Errorf("WatchList was refused %d times, want %d", unsupported, want)
	}
}

// reads runs an informer and checks what it makes of what the server sends, and that this is in the encoding. It returns how
// often the server has refused to send initial events.
func reads[T cache.Object](t *testing.T, d dialect, h hand, resource schema.GroupVersionResource, encoding cache.Encoding) int {
	t.Helper()
	h.t = t
	types := &contentTypes{resource: resource.Resource}
	source := cache.FromREST[T](types.client(t, d.server.config, resource.GroupVersion()), resource.Resource,
		cache.RESTOptions{Namespace: h.namespace, Encoding: encoding, Kind: kindOf(resource)})
	s := opened(t, source, h.resource, cache.Config{PageSize: 2, Server: d.learned})
	s.converges()
	h.puts("changed", "added")
	h.removes("removed")
	s.converges()
	s.decodes()
	h.removes("added")
	h.puts("removed")
	s.converges()
	want := sent[T](d, encoding)
	if got := types.seen(); !slices.Equal(got, want) {
		t.Errorf("%T in %q: the server sent %q, want %q", *new(T), encoding, got, want)
	}
	return s.status().Endings["watch-list unsupported"]
}

func kindOf(resource schema.GroupVersionResource) string {
	return map[string]string{"configmaps": "ConfigMap", "crontabs": "CronTab"}[resource.Resource]
}

// sent returns the content types that are right: protobuf for what can read it, CBOR from a server that has it, or else JSON.
func sent[T cache.Object](d dialect, encoding cache.Encoding) []string {
	_, protobuf := any(*new(T)).(interface{ Unmarshal(data []byte) error })
	list, watch := "application/json", "application/json"
	switch {
	case protobuf && (encoding == cache.AutoEncoding || encoding == cache.ProtobufEncoding):
		list, watch = "application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf;stream=watch"
	case d.cbor && encoding == cache.CBOREncoding:
		list, watch = "application/cbor", "application/cbor-seq"
	}
	if d.watchList {
		return []string{"watch " + watch}
	}
	return []string{"list " + list, "watch " + watch}
}

// contentTypes notes in what form a server sends objects of the resource.
type contentTypes struct {
	resource string

	mu    sync.Mutex
	found map[string]bool
}

// client returns a REST client of its own.
func (c *contentTypes) client(t *testing.T, config *rest.Config, version schema.GroupVersion) rest.Interface {
	t.Helper()
	config = cache.ConfigFor(config, version)
	config.WrapTransport = func(base http.RoundTripper) http.RoundTripper {
		return roundTrip(func(request *http.Request) (*http.Response, error) {
			response, err := base.RoundTrip(request)
			if err == nil && response.StatusCode == http.StatusOK && strings.HasSuffix(request.URL.Path, c.resource) {
				c.note(request.URL.Query().Get("watch") != "", response.Header.Get("Content-Type"))
			}
			return response, err
		})
	}
	client, err := rest.RESTClientForConfigAndClient(config, controlplanetest.HTTPClient(t, config))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (c *contentTypes) note(watch bool, contentType string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.found == nil {
		c.found = make(map[string]bool)
	}
	c.found[map[bool]string{true: "watch ", false: "list "}[watch]+contentType] = true
}

func (c *contentTypes) seen() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for contentType := range c.found {
		all = append(all, contentType)
	}
	slices.Sort(all)
	return all
}

// decodes fails the test unless each cached object is what client-go makes of the server's.
func (s *scene[T]) decodes() {
	s.t.Helper()
	list, err := s.truth.List(s.t.Context(), metav1.ListOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	for n := range list.Items {
		want, err := converted[T](&list.Items[n])
		if err != nil {
			s.t.Fatal(err)
		}
		if got, _ := s.informer.Indexer().Get(cache.KeyOf(&list.Items[n])); !equality.Semantic.DeepEqual(got, want) {
			s.t.Errorf("the cache has\n%+v\nwant\n%+v", got, want)
		}
	}
}

// converted returns the object as a T, which has an empty TypeMeta if it is a Go type of its own.
func converted[T cache.Object](object *unstructured.Unstructured) (T, error) {
	if same, ok := any(object).(T); ok {
		return same, nil
	}
	var typed T
	switch any(typed).(type) {
	case configMap:
		typed = any(&corev1.ConfigMap{}).(T)
	case cronTab:
		typed = any(&stablev1.CronTab{}).(T)
	case *metav1.PartialObjectMetadata:
		typed = any(&metav1.PartialObjectMetadata{}).(T)
	default:
		return typed, fmt.Errorf("unknown type %T", typed)
	}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed)
	typed.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	return typed, err
}
