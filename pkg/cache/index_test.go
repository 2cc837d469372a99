package cache

import (
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/store"
)

// A loop over the objects of a value needs no memory.
func TestLookupNeedsNoMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector keeps functions from being inlined")
	}
	indexer := NewIndexer[*corev1.ConfigMap]()
	index := AddIndex(indexer, "version", func(obj *corev1.ConfigMap) ([]string, error) {
		return []string{obj.ResourceVersion}, nil
	})
	indexer.Add(configMap("a", "a", "1"))
	for what, loop := range map[string]func(){
		"Lookup": func() {
			for obj := range index.Lookup("1") {
				_ = obj.Name
			}
		},
		"InNamespace": func() {
			for obj := range indexer.InNamespace("ns") {
				_ = obj.Name
			}
		},
	} {
		loop() // the second time gathers the objects, the third is without
		if allocs := testing.AllocsPerRun(100, loop); allocs > 0 {
			t.Errorf("%s: %v allocations", what, allocs)
		}
	}
}

// A relist of any length, in any order, leaves exactly its items and tells what changed.
func TestRelistOfAnyLength(t *testing.T) {
	for _, n := range []int{1, store.Ahead - 1, store.Ahead, store.Ahead + 1, 10 * store.Ahead} {
		t.Run(strconv.Itoa(n), func(t *testing.T) { relist(t, n) })
	}
}

// relist lists n objects, then half of them again, every other one of these in a new version, and n others.
func relist(t *testing.T, n int) {
	t.Helper()
	var before, after []*corev1.ConfigMap
	events := make(map[EventType]int)
	for i := range n {
		before = append(before, numbered(i, "1"))
		after = append(after, numbered(n+i, "2"))
		events[Added]++
		switch i % 4 {
		case 0:
			after = append(after, numbered(i, "1"))
		case 1:
			after = append(after, numbered(i, "2"))
			events[Updated]++
		default:
			events[Deleted]++
		}
	}
	slices.Reverse(after)
	indexer := NewIndexer[*corev1.ConfigMap]()
	indexer.Apply(Batch[*corev1.ConfigMap]{Replaced: true, Items: before})
	for _, event := range indexer.Apply(Batch[*corev1.ConfigMap]{Replaced: true, Items: after}) {
		events[event.Type]--
	}
	for change, missing := range events {
		if missing != 0 {
			t.Errorf("%d events too few of type %v", missing, change)
		}
	}
	if indexer.Len() != len(after) {
		t.Errorf("%d objects, want %d", indexer.Len(), len(after))
	}
	for _, want := range after {
		if got, _ := indexer.Get(KeyOf(want)); got == nil || got.ResourceVersion != want.ResourceVersion {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func numbered(i int, version string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Name: strconv.Itoa(i), UID: types.UID(strconv.Itoa(i)), ResourceVersion: version,
	}}
}
