package cache_test

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

func partialList(names ...string) *metav1.PartialObjectMetadataList {
	list := &metav1.PartialObjectMetadataList{
		TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadataList"},
		ListMeta: metav1.ListMeta{ResourceVersion: "9", Continue: "more"},
	}
	for _, name := range names {
		list.Items = append(list.Items, metav1.PartialObjectMetadata{ObjectMeta: somePod(name, "1").ObjectMeta})
	}
	return list
}

func TestListIdentities(t *testing.T) {
	for _, encoding := range encodings() {
		server := newScript(t, answer{body: encode(t, encoding, partialList("one", "two"))})
		var got []cache.Identity
		page, err := server.pods(cache.RESTOptions{}).ListIdentities(t.Context(), metav1.ListOptions{Limit: 2}, func(id cache.Identity) { got = append(got, id) })
		want := []cache.Identity{cache.IdentityOf(somePod("one", "1")), cache.IdentityOf(somePod("two", "1"))}
		if err != nil || !slices.Equal(got, want) || page != (cache.PageMeta{ResourceVersion: "9", Continue: "more"}) {
			t.Errorf("in %s got %v, %+v, %v", encoding, got, page, err)
		}
		if got := server.last().Header.Get("Accept"); !strings.HasPrefix(got, "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;") {
			t.Errorf("the source accepts %q", got)
		}
		if got := server.last().URL.RawQuery; got != "limit=2" {
			t.Errorf("the query is %q", got)
		}
	}
}

// A server that does not know metadata alone sends whole objects.
func TestListIdentitiesOfWholeObjects(t *testing.T) {
	server := newScript(t, answer{body: jsonList("stable.example.com/v1", "CronTabList", goodObject, badObjects["too large"].object)})
	var got []string
	_, err := server.cronTabs(cache.RESTOptions{MaxObjectBytes: 1000}).ListIdentities(t.Context(), metav1.ListOptions{}, func(id cache.Identity) {
		got = append(got, id.Key.String()+" "+id.ResourceVersion)
	})
	if want := []string{"default/good 3", "default/bad 2"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// An audit does not go by half of what there is.
func TestListIdentitiesFails(t *testing.T) {
	for name, body := range map[string]string{
		"cut off":              jsonList("v1", "PodList", goodObject)[:100],
		"an item of no object": jsonList("v1", "PodList", "{}"),
		"no list":              `{"kind":"Status","apiVersion":"v1"}`,
	} {
		if _, err := newScript(t, answer{body: body}).pods(cache.RESTOptions{}).ListIdentities(t.Context(), metav1.ListOptions{}, func(cache.Identity) {}); err == nil {
			t.Errorf("%s: there is no error", name)
		}
	}
}

func TestListIdentitiesLeavesOutTheNameless(t *testing.T) {
	server := newScript(t, answer{body: jsonList("v1", "PodList", `{"metadata":{"resourceVersion":"1"}}`)})
	_, err := server.pods(cache.RESTOptions{}).ListIdentities(t.Context(), metav1.ListOptions{}, func(id cache.Identity) { t.Errorf("got %v", id) })
	if err != nil {
		t.Error(err)
	}
}

var _ cache.IdentityLister = (*cache.RESTSource[cronTab])(nil)
