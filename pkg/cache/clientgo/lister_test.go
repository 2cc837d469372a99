package clientgo_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"pgregory.net/rapid"

	engine "github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/clientgo"
)

// TestListersAgree compares listers and their indexer with those of client-go, on the same objects.
func TestListersAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ours := engine.NewIndexer[*corev1.Pod]()
		theirs := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
		for _, n := range rapid.SliceOf(rapid.IntRange(0, 29)).Draw(t, "pods") {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
				Namespace: []string{"", "a", "b"}[n%3], Name: fmt.Sprint("pod", n), Labels: map[string]string{"odd": fmt.Sprint(n%2 == 1)},
			}}
			ours.Add(pod)
			if err := theirs.Add(pod); err != nil {
				t.Fatal(err)
			}
		}
		view := clientgo.IndexerOf(ours)
		compareListers(t, listers.NewPodLister(view), listers.NewPodLister(theirs))
		compareIndexers(t, view, theirs)
	})
}

func compareListers(t *rapid.T, ours, theirs listers.PodLister) {
	t.Helper()
	for _, selector := range []labels.Selector{labels.Everything(), labels.SelectorFromSet(labels.Set{"odd": "true"}), labels.Nothing()} {
		a, errA := ours.List(selector)
		b, errB := theirs.List(selector)
		compare(t, "List", namesOf(a), errA, namesOf(b), errB)
		for _, namespace := range []string{"", "a", "c"} {
			a, errA := ours.Pods(namespace).List(selector)
			b, errB := theirs.Pods(namespace).List(selector)
			compare(t, "List in "+namespace, namesOf(a), errA, namesOf(b), errB)
		}
	}
	for n := range 30 {
		a, errA := ours.Pods("a").Get(fmt.Sprint("pod", n))
		b, errB := theirs.Pods("a").Get(fmt.Sprint("pod", n))
		compare(t, "Get", fmt.Sprintf("%p", a), errA, fmt.Sprintf("%p", b), errB)
	}
}

func compareIndexers(t *rapid.T, ours, theirs cache.Indexer) {
	t.Helper()
	compare(t, "ListKeys", fmt.Sprint(sorted(ours.ListKeys())), nil, fmt.Sprint(sorted(theirs.ListKeys())), nil)
	for _, index := range []string{cache.NamespaceIndex, "nosuch"} {
		a, errA := ours.IndexKeys(index, "a")
		b, errB := theirs.IndexKeys(index, "a")
		compare(t, "IndexKeys", fmt.Sprint(sorted(a)), errA, fmt.Sprint(sorted(b)), errB)
		byA, errA := ours.ByIndex(index, "b")
		byB, errB := theirs.ByIndex(index, "b")
		compare(t, "ByIndex", len(byA), errA, len(byB), errB)
		if a, b := ours.ListIndexFuncValues(index), theirs.ListIndexFuncValues(index); !slices.Equal(sorted(a), sorted(b)) {
			t.Fatalf("ListIndexFuncValues returned %q, client-go's %q", a, b)
		}
	}
	for _, obj := range []any{&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "pod1"}}, cache.ExplicitKey("b/pod2"), 5} {
		a, existsA, errA := ours.Get(obj)
		b, existsB, errB := theirs.Get(obj)
		compare(t, "Get", existsA, errA, existsB, errB)
		if a != b {
			t.Fatalf("Get returned %v, client-go's %v", a, b)
		}
	}
}

func compare[V comparable](t *rapid.T, what string, ours V, errOurs error, theirs V, errTheirs error) {
	t.Helper()
	if ours != theirs || (errOurs == nil) != (errTheirs == nil) {
		t.Fatalf("%s returned %v, %v; client-go's %v, %v", what, ours, errOurs, theirs, errTheirs)
	}
}

func namesOf(pods []*corev1.Pod) string {
	all := make([]string, len(pods))
	for n, pod := range pods {
		all[n] = pod.Namespace + "/" + pod.Name
	}
	return fmt.Sprint(sorted(all))
}

func TestListersOnlyRead(t *testing.T) {
	objects := engine.NewIndexer[*corev1.Pod]()
	view, pod := clientgo.IndexerOf(objects), newPod("a")
	for what, err := range map[string]error{
		"Add": view.Add(pod), "Update": view.Update(pod), "Delete": view.Delete(pod), "Replace": view.Replace([]any{pod}, "1"),
		"AddIndexers": view.AddIndexers(cache.Indexers{}),
	} {
		if !errors.Is(err, clientgo.ErrReadOnly) {
			t.Errorf("%s returned %v", what, err)
		}
	}
	view.Bookmark("5")
	if err := view.Resync(); err != nil || view.LastStoreSyncResourceVersion() != "" || objects.Len() != 0 {
		t.Errorf("after all that there are %d objects at version %q: %v", objects.Len(), view.LastStoreSyncResourceVersion(), err)
	}
	objects.Apply(engine.Batch[*corev1.Pod]{Replaced: true, Items: []*corev1.Pod{pod}, ResourceVersion: "7"})
	if got := view.LastStoreSyncResourceVersion(); got != "7" {
		t.Errorf("the version is %q, want that of the objects", got)
	}
	if _, ok := view.GetIndexers()[cache.NamespaceIndex]; !ok {
		t.Error("the index by namespace is not told")
	}
	if _, err := view.Index(cache.NamespaceIndex, 5); err == nil {
		t.Error("what has no namespace was found")
	}
	if _, err := listers.NewPodLister(view).Pods("default").Get("b"); !apierrors.IsNotFound(err) {
		t.Errorf("what does not exist gives %v", err)
	}
}

// Reading by key allocates nothing, a list its slices.
func TestListersCopyNothing(t *testing.T) {
	objects := engine.NewIndexer[*corev1.Pod]()
	for n := range 1000 {
		objects.Add(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: fmt.Sprint(n)}})
	}
	view := clientgo.IndexerOf(objects)
	if got := testing.AllocsPerRun(100, func() { _, _, _ = view.GetByKey("a/7") }); got > 0 {
		t.Errorf("GetByKey allocates %v times", got)
	}
	if got := testing.AllocsPerRun(100, func() { view.List() }); got > 10 {
		t.Errorf("List allocates %v times", got)
	}
}
