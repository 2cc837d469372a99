package cache_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

func TestRESTSourceListsInEveryEncoding(t *testing.T) {
	for _, encoding := range encodings() {
		t.Run(string(encoding), func(t *testing.T) {
			one, two := somePod("one", "1"), somePod("two", "2")
			server := newScript(t, answer{body: encode(t, encoding, podList(metav1.ListMeta{ResourceVersion: "9"}, one, two))})
			pods, failed := contents(t, server.pods(cache.RESTOptions{Encoding: encoding}), cache.Request[*corev1.Pod]{})
			if !equality.Semantic.DeepEqual(pods, []*corev1.Pod{one, two}) || len(failed) > 0 {
				t.Errorf("got %v, %v", pods, failed)
			}
			if got := server.last().Header.Get("Accept"); !strings.HasPrefix(got, string(encoding)) || !strings.HasSuffix(got, "application/json") {
				t.Errorf("the source accepts %q", got)
			}
		})
	}
}

// Every page is one request. What it says of itself comes back.
func TestRESTSourceReadsPages(t *testing.T) {
	server := newScript(t,
		answer{body: encode(t, cache.ProtobufEncoding, podList(metav1.ListMeta{ResourceVersion: "9", Continue: "more"}, somePod("one", "1")))},
		answer{body: encode(t, cache.ProtobufEncoding, podList(metav1.ListMeta{ResourceVersion: "9"}, somePod("two", "2")))},
	)
	source := server.pods(cache.RESTOptions{Namespace: "default"})
	var names []string
	request := cache.Request[*corev1.Pod]{ListOptions: metav1.ListOptions{Limit: 1, LabelSelector: "app"}}
	for _, want := range []cache.PageMeta{{ResourceVersion: "9", Continue: "more"}, {ResourceVersion: "9"}} {
		page, err := source.StreamList(t.Context(), request, func(item cache.Item[*corev1.Pod]) { names = append(names, item.Object.Name) })
		if err != nil || page != want {
			t.Fatalf("the page is %+v, %v, want %+v", page, err, want)
		}
		request.Continue = page.Continue
	}
	if !slices.Equal(names, []string{"one", "two"}) {
		t.Errorf("got %q", names)
	}
	server.expectRequests("/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/pods")
	if got, want := server.last().URL.RawQuery, "continue=more&labelSelector=app&limit=1"; got != want {
		t.Errorf("the query is %q, want %q", got, want)
	}
}

func TestRESTSourceReadsAnotherNamespace(t *testing.T) {
	server := newScript(t, answer{body: jsonList("v1", "PodList")}, answer{body: jsonList("v1", "PodList")})
	all := server.pods(cache.RESTOptions{})
	contents(t, all.In("a"), cache.Request[*corev1.Pod]{})
	contents(t, all, cache.Request[*corev1.Pod]{})
	server.expectRequests("/api/v1/namespaces/a/pods", "/api/v1/pods")
}

// Half a list is none, whatever the reason.
func TestRESTSourceRefusesWhatIsNoList(t *testing.T) {
	whole := encode(t, cache.ProtobufEncoding, podList(metav1.ListMeta{ResourceVersion: "9"}, somePod("one", "1")))
	pod := `{"metadata":{"name":"a","resourceVersion":"1"}}`
	for name, answer := range map[string]answer{
		"nothing":             {},
		"a page for people":   {body: "<html><body>It works!</body></html>"},
		"an empty object":     {body: "{}"},
		"a table":             {body: `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"9"},"rows":[]}`},
		"a status":            {body: `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}`},
		"half the protobuf":   {body: whole[:len(whole)-10]},
		"half the JSON":       {body: jsonList("v1", "PodList", pod)[:100]},
		"a broken connection": {body: jsonList("v1", "PodList", pod)[:100], breaks: true},
		"another kind's, which is said at last": {
			body: `{"apiVersion":"v1","items":[` + pod + `],"kind":"ServiceList","metadata":{"resourceVersion":"9"}}`,
		},
		"another kind's, which is said at first": {body: jsonList("v1", "ServiceList", pod)},
		"a long list":                            {body: jsonList("v1", "PodList", strings.Repeat(pod+",", 100)+pod)},
	} {
		t.Run(name, func(t *testing.T) {
			server := newScript(t, answer)
			_, err := server.pods(cache.RESTOptions{MaxListBytes: 2000}).StreamList(t.Context(), cache.Request[*corev1.Pod]{}, func(cache.Item[*corev1.Pod]) {})
			if err == nil {
				t.Error("it was taken for a list")
			}
		})
	}
}

func TestRESTSourceListIsCutOff(t *testing.T) {
	for _, breaks := range []bool{false, true} {
		server := newScript(t, answer{body: `{"apiVersion":"v1","kind":"PodList","items":[{"metadata":`, breaks: breaks})
		_, err := server.pods(cache.RESTOptions{}).StreamList(t.Context(), cache.Request[*corev1.Pod]{}, nil)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the error is %v, want %v", err, io.ErrUnexpectedEOF)
		}
	}
}

var errGoAway = errors.New("go away")

func expectCause(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, errGoAway) || err.Error() != errGoAway.Error() {
		t.Errorf("the error is %v, want the cause of the cancellation and nothing else", err)
	}
}

// A server that stops in the middle does not hold anybody who has been told to go.
func TestRESTSourceListIsCancelled(t *testing.T) {
	server := newScript(t, answer{body: `{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"}},`, hangs: true})
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := server.pods(cache.RESTOptions{}).StreamList(ctx, cache.Request[*corev1.Pod]{}, func(cache.Item[*corev1.Pod]) { cancel(errGoAway) })
	expectCause(t, err)
}

func TestRESTSourceListTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newScript(t, answer{hangs: true})
		request := cache.Request[*corev1.Pod]{ListOptions: metav1.ListOptions{TimeoutSeconds: new(int64(1))}}
		_, err := server.pods(cache.RESTOptions{}).StreamList(t.Context(), request, nil)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

// What is cached in the version that comes is not decoded: here it could not be.
func TestRESTSourceKeepsWhatIsKnown(t *testing.T) {
	known := somePod("known", "1")
	server := newScript(t, answer{body: jsonList("v1", "PodList",
		`{"metadata":{"namespace":"default","name":"known","uid":"uid-of-known","resourceVersion":"1"},"spec":"can't be decoded"}`,
		`{"metadata":{"namespace":"default","name":"known","uid":"uid-of-known","resourceVersion":"2"}}`,
	)})
	pods, failed := contents(t, server.pods(cache.RESTOptions{}), cache.Request[*corev1.Pod]{Known: func(id cache.Identity) (*corev1.Pod, bool) {
		return known, id == cache.IdentityOf(known)
	}})
	if len(failed) > 0 || len(pods) != 2 || pods[0] != known || pods[1].ResourceVersion != "2" {
		t.Errorf("got %v and %v", pods, failed)
	}
}

func TestRESTSourceManagedFields(t *testing.T) {
	for _, encoding := range encodings() {
		for _, drop := range []bool{false, true} {
			server := newScript(t, answer{body: encode(t, encoding, podList(metav1.ListMeta{ResourceVersion: "9"}, somePod("one", "1")))})
			pods, failed := contents(t, server.pods(cache.RESTOptions{DropManagedFields: drop}), cache.Request[*corev1.Pod]{})
			want := somePod("one", "1")
			if drop {
				want.ManagedFields = nil
			}
			if !equality.Semantic.DeepEqual(pods, []*corev1.Pod{want}) {
				t.Errorf("%s: dropped %t, got %v, %v", encoding, drop, pods, failed)
			}
		}
	}
}

// Items of built-in kinds do not say their type in a list; as unstructured objects they have it.
func TestRESTSourceUnstructured(t *testing.T) {
	server := newScript(t, answer{body: jsonList("v1", "PodList",
		`{"metadata":{"name":"a","resourceVersion":"1"}}`,
		`{"apiVersion":"example.com/v1","kind":"Other","metadata":{"name":"b","resourceVersion":"1"}}`,
	)})
	source := cache.FromREST[*unstructured.Unstructured](server.client(corev1.SchemeGroupVersion), "pods", cache.RESTOptions{Encoding: cache.ProtobufEncoding})
	objects, _ := contents(t, source, cache.Request[*unstructured.Unstructured]{})
	if got := []string{objects[0].GroupVersionKind().String(), objects[1].GroupVersionKind().String()}; !slices.Equal(got, []string{"/v1, Kind=Pod", "example.com/v1, Kind=Other"}) {
		t.Errorf("the types are %q", got)
	}
	if got := server.last().Header.Get("Accept"); got != "application/json" {
		t.Errorf("the source accepts %q: there is no unstructured protobuf", got)
	}
}

func TestRESTSourceMetadataOnly(t *testing.T) {
	list := &metav1.PartialObjectMetadataList{
		TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadataList"}, ListMeta: metav1.ListMeta{ResourceVersion: "9"},
		Items: []metav1.PartialObjectMetadata{{ObjectMeta: somePod("one", "1").ObjectMeta}},
	}
	server := newScript(t, answer{body: encode(t, cache.ProtobufEncoding, list)})
	source := cache.FromREST[*metav1.PartialObjectMetadata](server.client(corev1.SchemeGroupVersion), "pods", cache.RESTOptions{})
	objects, failed := contents(t, source, cache.Request[*metav1.PartialObjectMetadata]{})
	if len(failed) > 0 || len(objects) != 1 || !equality.Semantic.DeepEqual(*objects[0], list.Items[0]) {
		t.Errorf("got %v, %v", objects, failed)
	}
	const want = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1," +
		"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
	if got := server.last().Header.Get("Accept"); got != want {
		t.Errorf("the source accepts %q, want what client-go's metadata client does", got)
	}
}

// Strings that are in many objects are in memory once.
func TestRESTSourceSharesTexts(t *testing.T) {
	a, b := somePod("a", "1"), somePod("b", "2")
	a.Spec.NodeName, b.Spec.NodeName = "node-17", "node-17"
	list := podList(metav1.ListMeta{ResourceVersion: "2"}, a, b)
	for range 10 { // of two strings that have the same place only one is remembered
		server := newScript(t, answer{body: encode(t, cache.ProtobufEncoding, list)})
		pods, _ := contents(t, server.pods(cache.RESTOptions{}), cache.Request[*corev1.Pod]{})
		if len(pods) == 2 && unsafe.StringData(pods[0].Spec.NodeName) == unsafe.StringData(pods[1].Spec.NodeName) {
			return
		}
	}
	t.Error("the name of the node is there twice")
}

func TestRESTSourceChangesRequests(t *testing.T) {
	server := newScript(t, answer{body: jsonList("v1", "PodList")})
	contents(t, server.pods(cache.RESTOptions{Request: func(r *rest.Request) { r.SetHeader("X-Trace", "7") }}), cache.Request[*corev1.Pod]{})
	if got := server.last().Header.Get("X-Trace"); got != "7" {
		t.Errorf("the header is %q", got)
	}
}
