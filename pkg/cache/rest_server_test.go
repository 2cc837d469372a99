package cache_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
)

// A script is an HTTP server that sends one answer after the other, and the client for it.
type script struct {
	t       *testing.T
	config  *rest.Config
	http    *http.Client
	mu      sync.Mutex
	answers []answer
	asked   []*http.Request
}

// An answer is what is sent, byte for byte.
type answer struct {
	status int // 200 if 0
	header map[string]string
	body   string
	hangs  bool // until the client goes
	breaks bool // the connection
}

func newScript(t *testing.T, answers ...answer) *script {
	t.Helper()
	s := &script{t: t, answers: answers}
	s.config, s.http = &rest.Config{Host: "http://script", QPS: -1}, cache.ServePipes(t, s)
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	next, ok := s.next(r)
	if !ok {
		http.Error(w, "the script is at its end", http.StatusTeapot)
		return
	}
	for key, value := range next.header {
		w.Header().Set(key, value)
	}
	if next.status != 0 {
		w.WriteHeader(next.status)
	}
	_, _ = w.Write([]byte(next.body))
	if next.hangs || next.breaks {
		_ = http.NewResponseController(w).Flush()
	}
	if next.hangs {
		<-r.Context().Done()
	}
	if next.breaks {
		panic(http.ErrAbortHandler)
	}
}

func (s *script) next(r *http.Request) (answer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r)
	if len(s.answers) == 0 {
		return answer{}, false
	}
	next := s.answers[0]
	s.answers = s.answers[1:]
	return next, true
}

// requests returns what was asked for, as paths without the query.
func (s *script) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var paths []string
	for _, r := range s.asked {
		paths = append(paths, r.URL.Path)
	}
	return paths
}

func (s *script) expectRequests(paths ...string) {
	s.t.Helper()
	if got := s.requests(); !slices.Equal(got, paths) {
		s.t.Errorf("the server was asked for %q, want %q", got, paths)
	}
}

// last returns the latest request.
func (s *script) last() *http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[len(s.asked)-1]
}

// client returns what reads a group and version of the server.
func (s *script) client(version schema.GroupVersion) rest.Interface {
	s.t.Helper()
	client, err := rest.RESTClientForConfigAndClient(cache.ConfigFor(s.config, version), s.http)
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

func (s *script) pods(options cache.RESTOptions) *cache.RESTSource[*corev1.Pod] {
	return cache.FromREST[*corev1.Pod](s.client(corev1.SchemeGroupVersion), "pods", options)
}

func (s *script) cronTabs(options cache.RESTOptions) *cache.RESTSource[*stablev1.CronTab] {
	return cache.FromREST[*stablev1.CronTab](s.client(stablev1.SchemeGroupVersion), "crontabs", options)
}

// statusAnswer is how an API server refuses a request.
func statusAnswer(code int, reason metav1.StatusReason, message string) answer {
	status := metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message,
	}
	body, _ := json.Marshal(status)
	return answer{status: code, header: map[string]string{"Content-Type": "application/json"}, body: string(body)}
}

// encode writes an object, or a list, as an API server does.
func encode(tb testing.TB, encoding cache.Encoding, obj runtime.Object) string {
	tb.Helper()
	codecs, info := serializerOf(tb, encoding)
	body, err := runtime.Encode(codecs.EncoderForVersion(info.Serializer, schema.GroupVersions{corev1.SchemeGroupVersion, metav1.SchemeGroupVersion}), obj)
	if err != nil {
		tb.Fatal(err)
	}
	return string(body)
}

// encodeEvent writes an event of a watch as an API server does.
func encodeEvent(t *testing.T, encoding cache.Encoding, event watch.EventType, obj runtime.Object) string {
	t.Helper()
	codecs, info := serializerOf(t, encoding)
	var out bytes.Buffer
	encoder := codecs.EncoderForVersion(info.StreamSerializer.Serializer, corev1.SchemeGroupVersion)
	raw := []byte(encode(t, encoding, obj))
	framed := info.StreamSerializer.NewFrameWriter(&out)
	if err := encoder.Encode(&metav1.WatchEvent{Type: string(event), Object: runtime.RawExtension{Raw: raw}}, framed); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func serializerOf(tb testing.TB, encoding cache.Encoding) (serializer.CodecFactory, runtime.SerializerInfo) {
	tb.Helper()
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, metav1.AddMetaToScheme} {
		if err := add(known); err != nil {
			tb.Fatal(err)
		}
	}
	codecs := serializer.NewCodecFactory(known, serializer.WithSerializer(cbor.NewSerializerInfo))
	info, ok := runtime.SerializerInfoForMediaType(codecs.SupportedMediaTypes(), string(encoding))
	if !ok {
		tb.Fatalf("no serializer for %s", encoding)
	}
	return codecs, info
}

func encodings() []cache.Encoding {
	return []cache.Encoding{cache.JSONEncoding, cache.ProtobufEncoding, cache.CBOREncoding}
}

// somePod is a pod as it comes out of a source.
func somePod(name, version string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, UID: types.UID("uid-of-" + name), ResourceVersion: version,
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubelet", Operation: metav1.ManagedFieldsOperationUpdate}},
			Labels:        map[string]string{"app": name},
		},
		Spec: corev1.PodSpec{NodeName: "n1"},
	}
}

func podList(meta metav1.ListMeta, pods ...*corev1.Pod) *corev1.PodList {
	list := &corev1.PodList{ListMeta: meta}
	for _, pod := range pods {
		list.Items = append(list.Items, *pod)
	}
	return list
}

// jsonList is a list as a server sends one, of items that are written by hand.
func jsonList(apiVersion, kind string, items ...string) string {
	return fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"resourceVersion":"9"},"items":[%s]}`,
		apiVersion, kind, strings.Join(items, ","))
}

// contents reads a page and says what it is made of: names, or errors.
func contents[T cache.Object](t *testing.T, source cache.Streamer[T], request cache.Request[T]) ([]T, []*cache.UndecodableError) {
	t.Helper()
	var objects []T
	var failed []*cache.UndecodableError
	_, err := source.StreamList(t.Context(), request, func(item cache.Item[T]) {
		if item.Err != nil {
			failed = append(failed, item.Err)
			return
		}
		objects = append(objects, item.Object)
	})
	if err != nil {
		t.Fatal(err)
	}
	return objects, failed
}

func namesOf[T cache.Object](objects []T) []string {
	var names []string
	for _, obj := range objects {
		names = append(names, obj.GetName())
	}
	return names
}
