package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

func describe(batch Batch[*corev1.ConfigMap]) []string {
	var deltas []string
	for _, item := range batch.Items {
		deltas = append(deltas, "Replaced "+stateOf(item))
	}
	for _, delta := range batch.Deltas {
		text := fmt.Sprintf("%s %s", delta.Type, stateOf(delta.Object))
		if delta.FinalStateUnknown {
			text += " unseen"
		}
		deltas = append(deltas, text)
	}
	return deltas
}

func TestPopWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewDeltaFIFO(NewIndexer[*corev1.ConfigMap]())
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

// A line is a FIFO before an indexer, without goroutines: the consumer applies what the test lets it.
type line struct {
	fifo    *DeltaFIFO[cm]
	indexer *Indexer[cm]
}

func newLine(known ...cm) line {
	indexer := NewIndexer[cm]()
	indexer.Apply(Batch[cm]{Replaced: true, Items: known, ResourceVersion: "1"})
	return line{NewDeltaFIFO(indexer), indexer}
}

// flood makes the FIFO merge from now on, until the next swap.
func (l line) flood() {
	for n := range unmerged + 1 {
		l.fifo.Update(configMap("flood", "u", fmt.Sprint(1+n)))
	}
}

// flush applies all that waits and writes the events down, those of the flood aside.
func (l line) flush() (entries []string) {
	batch, ok := l.fifo.swap()
	if !ok {
		return nil
	}
	for _, event := range l.indexer.Apply(batch) {
		if event.Key.Name != "flood" {
			entries = append(entries, fmt.Sprintf("%s %s", event.Type, stateOf(event.Object)))
			if event.FinalStateUnknown {
				entries[len(entries)-1] += " unseen"
			}
		}
	}
	return entries
}

// Whatever is merged, the cache ends as if nothing were; and a deletion stays visible before a creation.
func TestMergedOrNotTheEndIsTheSame(t *testing.T) {
	type step func(*DeltaFIFO[cm])
	state := func(uid types.UID, version string) step {
		return func(f *DeltaFIFO[cm]) { f.Update(configMap("a", uid, version)) }
	}
	gone := func(uid types.UID, version string) step {
		return func(f *DeltaFIFO[cm]) { f.Delete(configMap("a", uid, version)) }
	}
	const v1, v2, v3, v4, v5 = "2001", "2002", "2003", "2004", "2005"
	known := configMap("a", "u", v2)
	tests := map[string]struct {
		known []cm
		steps []step
		want  []string // merged
	}{
		"updated twice":                         {[]cm{known}, []step{state("u", v3), state("u", v4)}, []string{"Updated u@" + v4}},
		"came and went":                         {nil, []step{state("u", v3), gone("u", v4)}, nil},
		"came and went and came":                {nil, []step{state("u", v3), gone("u", v4), state("v", v5)}, []string{"Added v@" + v5}},
		"went":                                  {[]cm{known}, []step{state("u", v3), gone("u", v4)}, []string{"Deleted u@" + v4}},
		"went and came":                         {[]cm{known}, []step{gone("u", v3), state("v", v4)}, []string{"Deleted u@" + v3, "Added v@" + v4}},
		"went and came and went":                {[]cm{known}, []step{gone("u", v3), state("v", v4), gone("v", v5)}, []string{"Deleted u@" + v3}},
		"another came in its place":             {[]cm{known}, []step{state("v", v4)}, []string{"Deleted u@" + v2 + " unseen", "Added v@" + v4}},
		"an older state comes late":             {[]cm{known}, []step{state("u", v4), state("u", v3)}, []string{"Updated u@" + v4}},
		"an older state than known":             {[]cm{known}, []step{state("u", v1)}, nil},
		"an older deletion comes late":          {[]cm{known}, []step{state("u", v4), gone("u", v3)}, []string{"Updated u@" + v4}},
		"an older deletion than known":          {[]cm{known}, []step{gone("u", v1)}, nil},
		"an older deletion, then the real":      {[]cm{known}, []step{gone("u", v1), gone("u", v3)}, []string{"Deleted u@" + v3}},
		"an older deletion among the real ones": {[]cm{known}, []step{gone("u", v1), state("u", v3), gone("u", v4)}, []string{"Deleted u@" + v4}},
		"an older state of one not known yet":   {nil, []step{state("u", v3), state("u", v2), gone("u", v1)}, []string{"Added u@" + v3}},
		"everything twice": {
			[]cm{known},
			[]step{gone("u", v3), gone("u", v3), state("v", v4), state("v", v4)},
			[]string{"Deleted u@" + v3, "Added v@" + v4},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plain, merged := newLine(test.known...), newLine(test.known...)
			merged.flood()
			for _, step := range test.steps {
				step(plain.fifo)
				step(merged.fifo)
			}
			plain.flush()
			if got := merged.flush(); !slices.Equal(got, test.want) {
				t.Errorf("merged, the events are %q, want %q", got, test.want)
			}
			want, _ := plain.indexer.Get(nsKey("a"))
			if got, _ := merged.indexer.Get(nsKey("a")); got == nil != (want == nil) || got != nil && stateOf(got) != stateOf(want) {
				t.Errorf("merged, the cache has %v, otherwise %v", got, want)
			}
			if got, want := merged.indexer.Refused(), plain.indexer.Refused(); got > want {
				t.Errorf("merged, %d are refused, otherwise %d", got, want)
			}
		})
	}
}

func TestNothingIsRememberedOfWhatNobodyKnows(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		l := newLine()
		if replaced {
			l.fifo.Replace(nil, "1")
		}
		for n := range 10 * unmerged {
			obj := configMap(fmt.Sprint("n", n), "u", fmt.Sprint(2+n))
			l.fifo.Add(obj)
			l.fifo.Delete(obj)
		}
		if got := l.fifo.waiting.merged; got.len() > 0 || len(got.entries) > 1 {
			t.Errorf("after Replace %v: %d keys in %d entries wait for nobody", replaced, got.len(), len(got.entries))
		}
	}
}

// What the consumer is about to know counts as known: here it has not applied what it took.
func TestADeletionOfWhatIsOnItsWay(t *testing.T) {
	for _, relisted := range []bool{false, true} {
		l := newLine()
		if relisted {
			l.fifo.Replace([]cm{configMap("a", "u", "1")}, "1")
		} else {
			l.fifo.Add(configMap("a", "u", "1"))
		}
		taken, _ := l.fifo.swap()
		l.flood()
		l.fifo.Delete(configMap("a", "u", "5000"))
		l.indexer.Apply(taken)
		if got := l.flush(); !slices.Equal(got, []string{"Deleted u@5000"}) {
			t.Errorf("relisted %v: the events are %q, want the deletion", relisted, got)
		}
	}
}

func TestADeletionAfterAReplacementThatWaits(t *testing.T) {
	l := newLine()
	l.fifo.Replace([]cm{configMap("a", "u", "1"), configMap("b", "u", "1")}, "1")
	l.flood()
	l.fifo.Delete(configMap("a", "u", "5000"))
	if got := l.flush(); !slices.Equal(got, []string{"Added u@1", "Added u@1", "Deleted u@5000"}) {
		t.Errorf("the events are %q", got)
	}
}

func TestTheStreamsVersion(t *testing.T) {
	l := newLine()
	want := func(version string, epochs bool) {
		t.Helper()
		batch, _ := l.fifo.swap()
		l.indexer.Apply(batch)
		if got := l.indexer.ResourceVersion(); got != version || batch.NewEpoch != epochs {
			t.Errorf("the cache is at %q, want %q; a new epoch is %v", got, version, batch.NewEpoch)
		}
	}
	l.fifo.Replace([]cm{configMap("a", "u", "3")}, "7")
	want("7", false)
	l.fifo.Bookmark("9")
	want("9", false)
	l.fifo.Update(configMap("a", "u", "8")) // late
	want("9", false)
	l.fifo.Bookmark("")
	if _, ok := l.fifo.swap(); ok {
		t.Error("something waits, though nothing happened")
	}
	l.fifo.Replace([]cm{configMap("a", "u", "3")}, "4")
	l.fifo.Replace([]cm{configMap("a", "u", "3")}, "5") // both wait
	want("5", true)
	l.fifo.Update(configMap("a", "u", "6"))
	want("6", false)
	if got, _ := l.indexer.Get(nsKey("a")); got.ResourceVersion != "6" || l.indexer.Refused() != 0 {
		t.Errorf("the cache has %v, and %d were refused", got, l.indexer.Refused())
	}
}

func TestAReplacementMakesWhatWaitsObsolete(t *testing.T) {
	for _, flood := range []bool{false, true} {
		l := newLine(configMap("gone", "u", "1"), configMap("stays", "u", "1"))
		if flood {
			l.flood()
		}
		l.fifo.Add(configMap("a", "u", "5001"))
		l.fifo.Replace([]cm{configMap("stays", "u", "1")}, "5002")
		l.fifo.Update(configMap("stays", "u", "5003"))
		if got := l.flush(); !slices.Equal(got, []string{"Deleted u@1 unseen", "Updated u@5003"}) {
			t.Errorf("the events are %q", got)
		}
	}
}
