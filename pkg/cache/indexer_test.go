package cache

import (
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

func set(obj *corev1.ConfigMap) Delta[*corev1.ConfigMap] {
	return Delta[*corev1.ConfigMap]{Type: DeltaUpdated, Key: KeyOf(obj), Object: obj}
}

func remove(obj *corev1.ConfigMap) Delta[*corev1.ConfigMap] {
	return Delta[*corev1.ConfigMap]{Type: DeltaDeleted, Key: KeyOf(obj), Object: obj}
}

func batchOf(deltas ...Delta[*corev1.ConfigMap]) Batch[*corev1.ConfigMap] {
	return Batch[*corev1.ConfigMap]{Deltas: deltas}
}

func TestApplyTellsWhatChanged(t *testing.T) {
	a1, a2, aGone := configMap("a", "a", "1"), configMap("a", "a", "2"), configMap("a", "a", "3")
	other := configMap("a", "other", "4")
	type batch = Batch[*corev1.ConfigMap]
	tests := map[string]struct {
		before, batch batch
		want          []Event[*corev1.ConfigMap]
	}{
		"added":              {batch{}, batchOf(set(a1)), []Event[*corev1.ConfigMap]{{Type: Added, Object: a1}}},
		"updated":            {batchOf(set(a1)), batchOf(set(a2)), []Event[*corev1.ConfigMap]{{Type: Updated, Object: a2, Old: a1}}},
		"same version again": {batchOf(set(a1)), batchOf(set(configMap("a", "a", "1"))), nil},
		"deleted":            {batchOf(set(a1)), batchOf(remove(aGone)), []Event[*corev1.ConfigMap]{{Type: Deleted, Object: aGone}}},
		"deleted, not there": {batch{}, batchOf(remove(aGone)), nil},
		"another took its place": {batchOf(set(a1)), batchOf(set(other)), []Event[*corev1.ConfigMap]{
			{Type: Deleted, Object: a1, FinalStateUnknown: true}, {Type: Added, Object: other},
		}},
		"another took its place and went": {batchOf(set(a1)), batchOf(remove(other)), []Event[*corev1.ConfigMap]{
			{Type: Deleted, Object: a1, FinalStateUnknown: true},
		}},
		"deleted and created": {batchOf(set(a1)), batchOf(remove(aGone), set(other)), []Event[*corev1.ConfigMap]{
			{Type: Deleted, Object: aGone}, {Type: Added, Object: other},
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			indexer := NewIndexer[*corev1.ConfigMap](nil)
			indexer.Apply(test.before)
			got := indexer.Apply(test.batch)
			for i := range test.want {
				test.want[i].Key = types.NamespacedName{Namespace: "ns", Name: "a"}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("events are %v, want %v", got, test.want)
			}
		})
	}
}

func TestIndexerReads(t *testing.T) {
	indexer := NewIndexer[*corev1.ConfigMap](nil)
	a, b := configMap("a", "a", "1"), configMap("b", "b", "2")
	batch := batchOf(set(a), set(b))
	batch.ResourceVersion = "7"
	indexer.Apply(batch)
	indexer.Apply(batchOf()) // says nothing of a version

	if got, ok := indexer.Get(KeyOf(a)); !ok || got != a {
		t.Errorf("Get returned %v, %v", got, ok)
	}
	if got, ok := indexer.Get(types.NamespacedName{Name: "a"}); ok || got != nil {
		t.Errorf("Get of an unknown key returned %v, %v", got, ok)
	}
	if indexer.Len() != 2 || len(slices.Collect(indexer.All())) != 2 {
		t.Errorf("%d objects, want 2", indexer.Len())
	}
	if got := indexer.ResourceVersion(); got != "7" {
		t.Errorf("resource version is %q, want 7", got)
	}
}

func TestIterationIsOfOneMomentAndHoldsNoLock(t *testing.T) {
	indexer := NewIndexer[*corev1.ConfigMap](nil)
	indexer.Apply(batchOf(set(configMap("a", "a", "1")), set(configMap("b", "b", "1"))))
	seen := 0
	for obj := range indexer.All() {
		seen++
		indexer.Apply(batchOf(remove(obj), set(configMap("new-"+obj.Name, "n", "2")))) // a lock held would block here
	}
	if seen != 2 {
		t.Errorf("the loop saw %d objects, want the 2 that were there when it began", seen)
	}
	for range indexer.All() {
		break // a loop may end early
	}
}

func TestIndexOnALiveIndexer(t *testing.T) {
	indexer := NewIndexer[*corev1.ConfigMap](nil)
	a := configMap("a", "a", "1")
	indexer.Apply(batchOf(set(a)))
	byName := AddIndex(indexer, "name", func(obj *corev1.ConfigMap) []string { return []string{obj.Name, "all"} })
	b := configMap("b", "b", "2")
	indexer.Apply(batchOf(set(b)))

	if got := slices.Collect(byName.Lookup("a")); !slices.Equal(got, []*corev1.ConfigMap{a}) {
		t.Errorf("found %v under a", got)
	}
	if got := slices.Collect(byName.Lookup("all")); len(got) != 2 {
		t.Errorf("found %d objects under all, want 2", len(got))
	}
	if got := slices.Collect(byName.Lookup("none")); got != nil {
		t.Errorf("found %v under none", got)
	}
}

func TestAnIndexTakesNoHarmFromItsValues(t *testing.T) {
	failures := 0
	indexer := NewIndexer[*corev1.ConfigMap](func(*IndexError) { failures++ })
	var buffer []string
	reused := AddIndex(indexer, "reused", func(obj *corev1.ConfigMap) []string {
		buffer = append(buffer[:0], obj.ResourceVersion)
		return buffer
	})
	unhashable := AddIndex(indexer, "unhashable", func(*corev1.ConfigMap) []any { return []any{"fine", []string{"not"}} })
	indexer.Apply(batchOf(set(configMap("a", "a", "1")), set(configMap("b", "b", "2"))))
	indexer.Apply(batchOf(set(configMap("a", "a", "3"))))

	if got := slices.Collect(reused.Lookup("1")); got != nil {
		t.Errorf("found %v under a value that it has no more", got)
	}
	if got := slices.Collect(unhashable.Lookup("fine")); got != nil || failures != 3 {
		t.Errorf("%d failures, want 3; found %v, want nothing half inserted", failures, got)
	}
}

func TestAPanickingIndexFunctionLeavesOneObjectOut(t *testing.T) {
	var reported []*IndexError
	indexer := NewIndexer[*corev1.ConfigMap](func(err *IndexError) { reported = append(reported, err) })
	byUID := AddIndex(indexer, "uid", func(obj *corev1.ConfigMap) []types.UID {
		if obj.Name == "bad" {
			panic("no such label")
		}
		return []types.UID{obj.UID}
	})
	indexer.Apply(batchOf(set(configMap("bad", "1", "1")), set(configMap("good", "2", "2"))))

	if len(reported) != 1 || reported[0].Key.Name != "bad" {
		t.Fatalf("reported %v, want one error of the bad object", reported)
	}
	var err error = reported[0]
	if want := (&IndexError{}); !errors.As(err, &want) || !strings.Contains(err.Error(), `index "uid" does not hold object "ns/bad"`) {
		t.Errorf("the error says %q", err)
	}
	if _, ok := indexer.Get(types.NamespacedName{Namespace: "ns", Name: "bad"}); !ok {
		t.Error("the bad object is not stored")
	}
	if got := slices.Collect(byUID.Lookup("2")); len(got) != 1 {
		t.Error("the good object is not indexed")
	}
}
