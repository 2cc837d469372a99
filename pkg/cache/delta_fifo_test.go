package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
)

func TestDeltaFIFOMergesWhatWaits(t *testing.T) {
	old, oldGone := configMap("a", "old", "1"), configMap("a", "old", "4")
	first, second, secondGone := configMap("a", "new", "5"), configMap("a", "new", "6"), configMap("a", "new", "7")
	other := configMap("b", "b", "2")
	type fifo = *DeltaFIFO[*corev1.ConfigMap]
	tests := map[string]struct {
		operations func(f fifo)
		want       []string
		version    string
	}{
		"add and updates are one addition of the last state": {
			func(f fifo) { f.Add(first); f.Update(second) }, []string{"Updated new@6"}, "6",
		},
		"deletion and creation stay apart": {
			func(f fifo) { f.Update(old); f.Delete(oldGone); f.Add(first); f.Update(second) },
			[]string{"Deleted old@4", "Updated new@6"},
			"6",
		},
		"the first deletion is the one of what was known": {
			func(f fifo) { f.Delete(oldGone); f.Add(first); f.Delete(secondGone) }, []string{"Deleted old@4"}, "7",
		},
		"order of first change": {
			func(f fifo) { f.Add(first); f.Add(other); f.Update(second) }, []string{"Updated new@6", "Added b@2"}, "6",
		},
		"a replacement makes earlier changes obsolete": {
			func(f fifo) { f.Add(first); f.Replace([]*corev1.ConfigMap{other}, "9") }, []string{"Replaced b@2"}, "9",
		},
		"changes follow a replacement": {
			func(f fifo) { f.Replace([]*corev1.ConfigMap{other, first}, "5"); f.Update(second) },
			[]string{"Replaced b@2", "Updated new@6"},
			"6",
		},
		"a bookmark moves the version only": {
			func(f fifo) { f.Bookmark("8") }, nil, "8",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := NewDeltaFIFO[*corev1.ConfigMap](NewIndexer[*corev1.ConfigMap](nil))
			test.operations(f)
			batch, err := f.Pop(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(batch); !slices.Equal(got, test.want) || batch.ResourceVersion != test.version {
				t.Errorf("popped %q at version %q, want %q at %q", got, batch.ResourceVersion, test.want, test.version)
			}
		})
	}
}

func describe(batch Batch[*corev1.ConfigMap]) []string {
	var deltas []string
	for _, delta := range batch.Deltas {
		text := fmt.Sprintf("%s %s", delta.Type, stateOf(delta.Object))
		if delta.FinalStateUnknown {
			text += " unseen"
		}
		deltas = append(deltas, text)
	}
	return deltas
}

func TestReplaceFindsMissedDeletes(t *testing.T) {
	indexer := NewIndexer[*corev1.ConfigMap](nil)
	f := NewDeltaFIFO[*corev1.ConfigMap](indexer)
	stays, leaves := configMap("stays", "1", "1"), configMap("leaves", "2", "2")
	seen, seenGone := configMap("seen", "3", "3"), configMap("seen", "3", "9")
	f.Replace([]*corev1.ConfigMap{stays, leaves, seen}, "3")
	first, _ := f.Pop(t.Context())
	indexer.Apply(first)

	f.Replace([]*corev1.ConfigMap{stays, seen}, "8")
	f.Delete(seenGone)
	second, _ := f.Pop(t.Context())
	want := []string{"Deleted 2@2 unseen", "Replaced 1@1", "Deleted 3@9"}
	if got := describe(second); !slices.Equal(got, want) || !second.Replaced {
		t.Errorf("popped %q, want %q", got, want)
	}
}

func TestPopWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewDeltaFIFO[*corev1.ConfigMap](NewIndexer[*corev1.ConfigMap](nil))
		popped := make(chan []string)
		go func() {
			batch, _ := f.Pop(context.Background())
			popped <- describe(batch)
		}()
		synctest.Wait()
		f.Add(configMap("a", "a", "1"))
		if got := <-popped; !slices.Equal(got, []string{"Added a@1"}) {
			t.Errorf("popped %q", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.Pop(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Pop returned %v, want the context's error", err)
		}
	})
}
