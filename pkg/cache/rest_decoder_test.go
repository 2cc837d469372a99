package cache_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/internal/wire"
)

// badObjects are JSON objects that can't become a CronTab, with a part of the reason.
var badObjects = map[string]struct{ object, reason string }{
	"a field of another type": {
		`{"apiVersion":"stable.example.com/v1","kind":"CronTab","metadata":{"namespace":"default","name":"bad","uid":"u","resourceVersion":"2"},"spec":{"image":7}}`,
		"spec.image",
	},
	"no object for a field": {
		`{"apiVersion":"stable.example.com/v1","kind":"CronTab","metadata":{"namespace":"default","name":"bad","uid":"u","resourceVersion":"2"},"spec":"secret"}`,
		"spec",
	},
	"another kind": {
		`{"apiVersion":"stable.example.com/v1","kind":"Database","metadata":{"namespace":"default","name":"bad","uid":"u","resourceVersion":"2"}}`,
		`"Database"`,
	},
	"another version": {
		`{"apiVersion":"stable.example.com/v2","kind":"CronTab","metadata":{"namespace":"default","name":"bad","uid":"u","resourceVersion":"2"}}`,
		`"stable.example.com/v2"`,
	},
	"a table": {
		`{"apiVersion":"meta.k8s.io/v1","kind":"Table","metadata":{"namespace":"default","name":"bad","uid":"u","resourceVersion":"2"}}`,
		`"Table"`,
	},
	"too large": {
		`{"apiVersion":"stable.example.com/v1","kind":"CronTab","metadata":{"namespace":"default","name":"bad","uid":"u","resourceVersion":"2"},"spec":{"image":"` +
			strings.Repeat("x", 2000) + `"}}`,
		"longer than",
	},
	"two names": {
		`{"apiVersion":"stable.example.com/v1","kind":"CronTab","metadata":{"namespace":"default","name":"bad","uid":"u","resourceVersion":"2","name":"other"}}`,
		"",
	},
}

const goodObject = `{"apiVersion":"stable.example.com/v1","kind":"CronTab","metadata":{"namespace":"default","name":"good","uid":"v","resourceVersion":"3"},"spec":{"image":"busybox"}}`

// One bad object stands in nobody's way, and it is known which one it is.
func TestRESTSourceListsAroundBadObjects(t *testing.T) {
	for name, bad := range badObjects {
		t.Run(name, func(t *testing.T) {
			server := newScript(t, answer{body: jsonList("stable.example.com/v1", "CronTabList", goodObject, bad.object, goodObject)})
			objects, failed := contents(t, server.cronTabs(cache.RESTOptions{MaxObjectBytes: 1000}), cache.Request[*stablev1.CronTab]{})
			if got := namesOf(objects); !slices.Equal(got, []string{"good", "good"}) {
				t.Errorf("got %q", got)
			}
			if len(failed) != 1 {
				t.Fatalf("failed: %v", failed)
			}
			expectBad(t, failed[0], "", bad.reason)
		})
	}
}

func TestRESTSourceWatchesAroundBadObjects(t *testing.T) {
	for name, bad := range badObjects {
		t.Run(name, func(t *testing.T) {
			server := newScript(t, answer{body: `{"type":"MODIFIED","object":` + bad.object + "}\n" + `{"type":"ADDED","object":` + goodObject + "}\n"})
			stream := openStream(t, server.cronTabs(cache.RESTOptions{MaxObjectBytes: 1000}), cache.Request[*stablev1.CronTab]{})
			_, err := stream.Next()
			failed, ok := errors.AsType[*cache.UndecodableError](err)
			if !ok {
				t.Fatalf("the error is %v", err)
			}
			expectBad(t, failed, watch.Modified, bad.reason)
			if event, err := stream.Next(); err != nil || event.Object.Name != "good" {
				t.Errorf("the next event is %v, %v", event, err)
			}
		})
	}
}

func expectBad(t *testing.T, got *cache.UndecodableError, event watch.EventType, reason string) {
	t.Helper()
	want := cache.Identity{Key: types.NamespacedName{Namespace: "default", Name: "bad"}, UID: "u", ResourceVersion: "2"}
	if got.Identity != want || got.Type != event || !strings.Contains(got.Error(), reason) {
		t.Errorf("it is %+v in a %q event: %v", got.Identity, got.Type, got)
	}
	if strings.Contains(got.Error(), "secret") {
		t.Errorf("the error shows content: %v", got)
	}
	if tooLarge, ok := errors.AsType[*wire.TooLargeError](got); ok && tooLarge.Frame.Bytes != nil {
		t.Errorf("the error keeps %d bytes of content", len(tooLarge.Frame.Bytes))
	}
}

// What a server calls an object may be as long as it likes; logs and quarantine need the beginning.
func TestRESTSourceCutsLongKinds(t *testing.T) {
	long := strings.Repeat("K", 100000)
	object := fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"name":"a"}}`, long, long)
	server := newScript(t, answer{body: jsonList("stable.example.com/v1", "CronTabList", object)})
	_, failed := contents(t, server.cronTabs(cache.RESTOptions{}), cache.Request[*stablev1.CronTab]{})
	if len(failed) != 1 || len(failed[0].Error()) > 1000 {
		t.Errorf("%d failed, the first with %d bytes", len(failed), len(failed[0].Error()))
	}
}

// What is known of a bad object stays, whatever comes after it through the same memory.
func TestRESTSourceRemembersBadObjects(t *testing.T) {
	var want, items []string
	for n := range 1000 {
		want = append(want, fmt.Sprintf("bad-%d", n))
		items = append(items, fmt.Sprintf(`{"metadata":{"managedFields":[],"name":%q,"resourceVersion":"1"},"spec":7}`, want[n]))
	}
	for _, drop := range []bool{false, true} {
		server := newScript(t, answer{body: jsonList("v1", "PodList", items...)})
		_, failed := contents(t, server.pods(cache.RESTOptions{DropManagedFields: drop}), cache.Request[*corev1.Pod]{})
		var got []string
		for _, err := range failed {
			got = append(got, err.Key.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("the bad objects are %q", got)
		}
	}
}

func TestRESTSourceRefusesNamelessObjects(t *testing.T) {
	const nameless = `{"apiVersion":"stable.example.com/v1","kind":"CronTab","metadata":{"namespace":"default","resourceVersion":"2"}}`
	server := newScript(t, answer{body: jsonList("stable.example.com/v1", "CronTabList", nameless)})
	_, failed := contents(t, server.cronTabs(cache.RESTOptions{}), cache.Request[*stablev1.CronTab]{})
	if len(failed) != 1 || failed[0].Error() != "an object can't be decoded: it has no name" || failed[0].ResourceVersion != "2" {
		t.Errorf("failed: %v", failed)
	}
}

// The Go type need not be called what the kind is, if that is said. Unstructured objects may be of any kind, unless it is.
func TestRESTSourceKind(t *testing.T) {
	type untyped = *unstructured.Unstructured
	list := answer{body: jsonList("stable.example.com/v1", "CronTabList", goodObject)}
	table := answer{body: jsonList("stable.example.com/v1", "CronTabList", badObjects["a table"].object)}
	server := newScript(t, list, list, list, table)
	client := server.client(stablev1.SchemeGroupVersion)
	refusesList(t, server.cronTabs(cache.RESTOptions{Kind: "Database"}))
	refusesList(t, cache.FromREST[untyped](client, "crontabs", cache.RESTOptions{Kind: "Database"}))
	if objects, _ := contents(t, cache.FromREST[untyped](client, "crontabs", cache.RESTOptions{}), cache.Request[untyped]{}); len(objects) != 1 {
		t.Error("some kind is not taken for any")
	}
	if _, failed := contents(t, cache.FromREST[untyped](client, "crontabs", cache.RESTOptions{}), cache.Request[untyped]{}); len(failed) != 1 {
		t.Error("a table is taken for an object")
	}
}

// refusesList fails the test unless CronTabs are not taken for Databases.
func refusesList[T cache.Object](t *testing.T, source *cache.RESTSource[T]) {
	t.Helper()
	_, err := source.StreamList(t.Context(), cache.Request[T]{}, func(item cache.Item[T]) {
		if item.Err == nil {
			t.Error("a CronTab is taken for a Database")
		}
	})
	if !errors.Is(err, cache.ErrMalformed) || !strings.Contains(err.Error(), "expected a list of Database") {
		t.Errorf("the error is %v, want it to say what was expected", err)
	}
}

// Unstructured objects that say no kind have that of their list, wherever in it that is: in CBOR the keys of a map come in
// any order.
func TestRESTSourceTakesTheKindOfTheList(t *testing.T) {
	items, kind, version := `"items":[{"metadata":{"name":"a","resourceVersion":"1"}}]`, `"kind":"ThingList"`, `"apiVersion":"v1"`
	for _, keys := range [][]string{{kind, version, items}, {items, kind, version}, {kind, items, version}, {version, items, kind}} {
		server := newScript(t, answer{body: "{" + strings.Join(keys, ",") + `,"metadata":{}}`})
		source := cache.FromREST[*unstructured.Unstructured](server.client(corev1.SchemeGroupVersion), "things", cache.RESTOptions{Kind: "Thing"})
		objects, failed := contents(t, source, cache.Request[*unstructured.Unstructured]{})
		if len(failed) != 0 || len(objects) != 1 || objects[0].GetKind() != "Thing" || objects[0].GetAPIVersion() != "v1" {
			t.Errorf("%q: got %v, failed: %v", keys, objects, failed)
		}
	}
}

// An object that has a kind keeps it.
func TestRESTSourceOfAListOfAnything(t *testing.T) {
	const a, b = `{"kind":"Thing","apiVersion":"b/v2","metadata":{"name":"a"}}`, `{"kind":"Other","metadata":{"name":"b"}}`
	server := newScript(t, answer{body: `{"items":[` + a + "," + b + `],"kind":"ThingList","apiVersion":"v1","metadata":{}}`})
	source := cache.FromREST[*unstructured.Unstructured](server.client(corev1.SchemeGroupVersion), "things", cache.RESTOptions{})
	objects, _ := contents(t, source, cache.Request[*unstructured.Unstructured]{})
	if len(objects) != 2 || objects[0].GetAPIVersion() != "b/v2" || objects[1].GetKind() != "Other" {
		t.Errorf("got %v", objects)
	}
}

// An object whose kind nothing says is none.
func TestRESTSourceOfNoKind(t *testing.T) {
	const object = `{"metadata":{"name":"a","resourceVersion":"1"}}`
	server := newScript(t, answer{body: jsonList("v1", "List", object)}, answer{body: `{"type":"ADDED","object":` + object + "}\n"})
	source := cache.FromREST[*unstructured.Unstructured](server.client(corev1.SchemeGroupVersion), "things", cache.RESTOptions{})
	if _, err := source.List(t.Context(), metav1.ListOptions{}); err == nil || !strings.Contains(err.Error(), "does not say its kind") {
		t.Errorf("listed: %v", err)
	}
	_, err := openStream(t, source, cache.Request[*unstructured.Unstructured]{}).Next()
	if _, ok := errors.AsType[*cache.UndecodableError](err); !ok {
		t.Errorf("watched: %v", err)
	}
}
