package cache

import (
	"runtime"
	"slices"
	"testing"
	"weak"

	corev1 "k8s.io/api/core/v1"
)

// An older state that arrives after the deletion does not bring the object back.
func TestNoGhosts(t *testing.T) {
	for _, merged := range []bool{false, true} {
		for name, late := range map[string]func(*DeltaFIFO[cm], cm){
			"added": (*DeltaFIFO[cm]).Add, "updated": (*DeltaFIFO[cm]).Update,
		} {
			l := newLine()
			if merged {
				l.flood()
			}
			l.fifo.Add(configMap("a", "u", "2001"))
			l.fifo.Delete(configMap("a", "u", "2003"))
			late(l.fifo, configMap("a", "u", "2002"))
			l.flush()
			if _, ok := l.indexer.Get(KeyOf(configMap("a", "", ""))); ok || l.indexer.Refused() != 1 {
				t.Errorf("%s late, merged %v: it is there again: %v; %d refused, want 1", name, merged, ok, l.indexer.Refused())
			}
		}
	}
}

// What is late is not lost when what was in time still waits.
func TestALateRepetitionIsNoLoss(t *testing.T) {
	l := newLine()
	l.flood()
	l.fifo.Add(configMap("a", "u", "2001"))
	l.fifo.Bookmark("2005")
	l.fifo.Update(configMap("a", "u", "2001"))
	if got := l.flush(); !slices.Equal(got, []string{"Added u@2001"}) {
		t.Errorf("the events are %q", got)
	}
}

// A consumer that waits for the next batch holds on to nothing of the last.
func TestWaitingHoldsNoBatch(t *testing.T) {
	indexer := NewIndexer[cm]()
	fifo := NewDeltaFIFO(indexer)
	listed := configMap("a", "u", "1")
	fifo.Replace([]cm{listed}, "1")
	apply := func() weak.Pointer[corev1.ConfigMap] {
		batch, _ := fifo.Pop(t.Context())
		indexer.Apply(batch)
		return weak.Make(batch.Items[0])
	}
	apply()
	fifo.Replace([]cm{configMap("a", "u", "1")}, "1") // unchanged: the cached one stays
	relisted := apply()

	waiting := make(chan struct{})
	go func() {
		defer close(waiting)
		_, _ = fifo.Pop(t.Context())
	}()
	waitUntilGone(relisted)
	fifo.Bookmark("2")
	<-waiting
	runtime.KeepAlive(listed)
}

// A batch of which a part could not be applied does not count as applied.
func TestABrokenBatchHasNoVersion(t *testing.T) {
	indexer := NewIndexer[cm]()
	func() {
		defer func() { _ = recover() }()
		indexer.Apply(Batch[cm]{
			Deltas:          []Delta[cm]{{Type: DeltaAdded, Object: configMap("a", "u", "5")}, {Type: DeltaAdded}},
			ResourceVersion: "6",
		})
		t.Error("an object that is nil was applied")
	}()
	if got := indexer.ResourceVersion(); got != "" {
		t.Errorf("the version is %q", got)
	}
	indexer.Add(configMap("b", "u", "7")) // it still works
	if indexer.Len() != 2 || indexer.ResourceVersion() != "7" {
		t.Errorf("%d objects at %q", indexer.Len(), indexer.ResourceVersion())
	}
}

func TestVersionsByHand(t *testing.T) {
	indexer := NewIndexer[cm]()
	indexer.Add(configMap("a", "u", "7"), configMap("b", "u", "5"))
	if got := indexer.ResourceVersion(); got != "7" {
		t.Errorf("the version is %q, want that of the newest object", got)
	}
	if err := indexer.WaitUntil(t.Context(), "6"); err != nil {
		t.Error(err)
	}
	indexer.Apply(Batch[cm]{ResourceVersion: "3"})
	if got := indexer.ResourceVersion(); got != "7" {
		t.Errorf("the version went back to %q", got)
	}
	indexer.Apply(Batch[cm]{Replaced: true, NewEpoch: true, ResourceVersion: "3"})
	if got := indexer.ResourceVersion(); got != "3" {
		t.Errorf("the version is %q in the new epoch", got)
	}
}

func TestIndexesOfOneName(t *testing.T) {
	indexer := NewIndexer[cm]()
	fails := true
	AddIndex(indexer, "twin", func(cm) ([]string, error) { return nil, nil })
	AddIndex(indexer, "twin", func(cm) ([]string, error) {
		if fails {
			panic(configMap("secret", "", ""))
		}
		return []string{"a", "b", "a"}, nil
	})
	indexer.Add(configMap("a", "u", "1"))
	quarantined := indexer.Quarantined()
	if len(quarantined) != 1 || quarantined[0].Err.Error() != `index "twin": panic: a *v1.ConfigMap` {
		t.Errorf("quarantined are %v", quarantined)
	}
	fails = false
	indexer.Add(configMap("a", "u", "2"))
	if got := indexer.Quarantined(); len(got) != 0 {
		t.Errorf("quarantined are %v", got)
	}
}

// A function of the user's that ends the goroutine, as t.FailNow does, leaves the store whole.
func TestAnIndexFunctionMayEndTheGoroutine(t *testing.T) {
	indexer := NewIndexer[cm]()
	AddIndex(indexer, "first", func(obj cm) ([]string, error) { return []string{obj.Name}, nil })
	AddIndex(indexer, "exits", func(obj cm) ([]string, error) {
		if obj.Name == "bad" {
			runtime.Goexit()
		}
		return []string{obj.Name}, nil
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		indexer.Add(configMap("bad", "u", "1"))
	}()
	<-done
	indexer.Add(configMap("a", "u", "2"), configMap("b", "u", "3"))
	indexer.Delete(configMap("a", "u", "4"))
	if indexer.Len() != 1 {
		t.Errorf("%d objects", indexer.Len())
	}
}

func TestASnapshotOfAnotherIndexer(t *testing.T) {
	byName := AddIndex(NewIndexer[*corev1.ConfigMap](), "name", func(obj cm) ([]string, error) { return []string{obj.Name}, nil })
	defer func() {
		if recover() == nil {
			t.Error("an index read another indexer's snapshot")
		}
	}()
	byName.In(NewIndexer[*corev1.ConfigMap]().Snapshot())
}
