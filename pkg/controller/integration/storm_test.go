package integration_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

const (
	target   = 10       // so often the controller counts
	attempts = 6        // of one change, the default of package write
	total    = "total"  // both count here
	own      = "own"    // here only the controller
	others   = "others" // here only the second writer
)

// increment counts in a ConfigMap.
func increment(object configMap, fields ...string) error {
	if object.Data == nil {
		object.Data = make(map[string]string)
	}
	for _, field := range fields {
		object.Data[field] = strconv.Itoa(count(object, field) + 1)
	}
	return nil
}

func count(object configMap, field string) int {
	n, _ := strconv.Atoi(object.Data[field]) // absent is 0
	return n
}

// countUp makes the ConfigMap count up to the target, in steps: each is one change, from what the cache has.
func (k *keeper) countUp(ctx context.Context, key key) controller.Result {
	object, ok := k.kept.Indexer().Get(key)
	if !ok || object.Data["counts"] == "" || count(object, own) >= target {
		return controller.Done()
	}
	_, _, err := k.writer.Change(ctx, object, func(object configMap) error { return increment(object, own, total) })
	return controller.Retry(err)
}

// A second writer changes the same objects as fast as it can. Nothing of what either does is lost, though both count in the
// same field, and the controller gets where it is to be, with a bounded number of attempts for each reconcile.
func TestConflictStorm(t *testing.T) {
	w := newWorld(t)
	k := w.newKeeper()
	var failures atomic.Int32
	s := k.play(t, controller.Config[key]{
		Workers:   4,
		Sources:   []controller.Source[key]{controller.For(k.kept)},
		Reconcile: k.countUp,
		Observe: func(o controller.Observation[key]) {
			if o.Result.Err() != nil && o.Class != controller.Stale {
				failures.Add(1)
			}
		},
	})
	names := names(20)
	for _, name := range names {
		w.page(name)
	}
	written, rest := w.storm(4, names)
	for _, name := range names {
		w.begin(name)
	}
	w.counted(names, own, func(string) int { return target })
	rest()
	s.settles()
	w.counted(names, others, func(name string) int { return int(written[name].Load()) })
	w.counted(names, total, func(name string) int { return target + int(written[name].Load()) })
	writes, status := s.writer.Status(), s.controller.Status()
	t.Logf("%+v, %+v", writes, status)
	if writes.Patched != target*len(names) {
		t.Errorf("%d changes, want %d", writes.Patched, target*len(names))
	}
	if sent := writes.Patched + writes.Conflicts; sent > attempts*status.Reconciles || writes.Conflicts == 0 {
		t.Errorf("%d attempts, of which %d met conflicts, for %d reconciles", sent, writes.Conflicts, status.Reconciles)
	}
	if failures.Load() > 0 {
		t.Errorf("%d reconciles failed for other reasons", failures.Load())
	}
}

// begin has the controller count in a ConfigMap.
func (w world) begin(name string) {
	w.t.Helper()
	patch := []byte(`{"data":{"counts":"yes"}}`)
	_, err := w.core.CoreV1().ConfigMaps(w.namespace).Patch(w.t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{})
	w.must(err)
}

// storm counts in ConfigMaps, n at the same time, until rest is called. Then it has written each so often.
func (w world) storm(n int, names []string) (written map[string]*atomic.Int32, rest func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	written = make(map[string]*atomic.Int32)
	for _, name := range names {
		written[name] = &atomic.Int32{}
	}
	var running sync.WaitGroup
	for first := range n {
		running.Go(func() {
			for i := first; ctx.Err() == nil; i += n {
				if name := names[i%len(names)]; w.countOnce(name) {
					written[name].Add(1)
				}
			}
		})
	}
	rest = func() {
		cancel()
		running.Wait()
	}
	w.t.Cleanup(rest)
	return written, rest
}

// countOnce says whether it has counted, which nobody knows if there was no answer.
func (w world) countOnce(name string) bool {
	ctx, configMaps := w.t.Context(), w.core.CoreV1().ConfigMaps(w.namespace)
	object, err := configMaps.Get(ctx, name, metav1.GetOptions{})
	if err == nil && increment(object, others, total) == nil {
		_, err = configMaps.Update(ctx, object, metav1.UpdateOptions{})
	}
	if err != nil && !apierrors.IsConflict(err) && ctx.Err() == nil {
		w.t.Error(err)
	}
	return err == nil
}

// counted waits until all have counted to what is wanted.
func (w world) counted(names []string, field string, want func(name string) int) {
	w.t.Helper()
	controlplanetest.Await(w.t, func(ctx context.Context) error {
		for _, name := range names {
			object, err := w.core.CoreV1().ConfigMaps(w.namespace).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if got := count(object, field); got != want(name) {
				return fmt.Errorf("%q of %q is %d, want %d", field, name, got, want(name))
			}
		}
		return nil
	})
}
