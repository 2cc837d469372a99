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
