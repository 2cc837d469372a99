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
	return Delta[*corev1.ConfigMap]{Type: DeltaUpdated, Object: obj}
}

func remove(obj *corev1.ConfigMap) Delta[*corev1.ConfigMap] {
	return Delta[*corev1.ConfigMap]{Type: DeltaDeleted, Object: obj}
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
			indexer := NewIndexer[*corev1.ConfigMap]()
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
	indexer := NewIndexer[*corev1.ConfigMap]()
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
	indexer := NewIndexer[*corev1.ConfigMap]()
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
	indexer := NewIndexer[*corev1.ConfigMap]()
	a := configMap("a", "a", "1")
	indexer.Apply(batchOf(set(a)))
	byName := AddIndex(indexer, "name", func(obj *corev1.ConfigMap) ([]string, error) { return []string{obj.Name, "all"}, nil })
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
	indexer := NewIndexer[*corev1.ConfigMap]()
	var buffer []string
	reused := AddIndex(indexer, "reused", func(obj *corev1.ConfigMap) ([]string, error) {
		buffer = append(buffer[:0], obj.ResourceVersion)
		return buffer, nil
	})
	unhashable := AddIndex(indexer, "unhashable", func(*corev1.ConfigMap) ([]any, error) {
		return []any{"fine", []string{"not"}}, nil
	})
	indexer.Add(configMap("a", "a", "1"), configMap("b", "b", "2"))
	indexer.Add(configMap("a", "a", "3"))

	if got := slices.Collect(reused.Lookup("1")); got != nil {
		t.Errorf("found %v under a value that it has no more", got)
	}
	if got := slices.Collect(unhashable.Lookup("fine")); got != nil || len(indexer.Quarantined()) != 2 {
		t.Errorf("quarantined are %v; found %v, want nothing half inserted", indexer.Quarantined(), got)
	}
}

func TestAFailingIndexFunctionLeavesOneObjectOut(t *testing.T) {
	indexer := NewIndexer[*corev1.ConfigMap]()
	byUID := AddIndex(indexer, "uid", func(obj *corev1.ConfigMap) ([]types.UID, error) {
		switch {
		case obj.Name == "bad" && obj.ResourceVersion == "1":
			panic("no such label")
		case obj.Name == "poor" && obj.ResourceVersion == "3":
			return nil, errors.New("no such field")
		}
		return []types.UID{obj.UID}, nil
	})
	indexer.Add(configMap("bad", "1", "1"), configMap("good", "2", "2"), configMap("poor", "3", "3"))

	quarantined := indexer.Quarantined()
	if len(quarantined) != 2 || quarantined[0].Key.Name != "bad" || quarantined[1].ResourceVersion != "3" {
		t.Fatalf("quarantined are %v, want the bad and the poor object", quarantined)
	}
	if got := quarantined[0].Err.Error(); !strings.Contains(got, `index "uid"`) || !strings.Contains(got, "no such label") {
		t.Errorf("the error says %q", got)
	}
	if _, ok := indexer.Get(types.NamespacedName{Namespace: "ns", Name: "bad"}); !ok {
		t.Error("the bad object is not stored")
	}
	if got := slices.Collect(byUID.Lookup("2")); len(got) != 1 {
		t.Error("the good object is not indexed")
	}
	indexer.Add(configMap("bad", "1", "4"))
	indexer.Delete(configMap("poor", "3", "5"))
	if got := indexer.Quarantined(); len(got) != 0 || byUID.Count("1") != 1 {
		t.Errorf("quarantined are %v, want nothing more", got)
	}
}
