package contest

import (
	"context"
	"io"
	"iter"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The workload without a cluster shows that controllers and checks work.
func TestGrowthReconcilesEverything(t *testing.T) {
	for _, implementation := range []string{Sluice, ClientGo} {
		t.Run(implementation, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			task := Task{Workload: ControllerGrowth, Implementation: implementation, Objects: 1000, Reconciles: 3000}
			operations, figures, err := task.Do(ctx, nil, io.Discard)
			if err != nil || operations != 3000 {
				t.Fatalf("%d reconciles, %v", operations, err)
			}
			for _, unit := range []string{"ns/op", "cpu-ns/op", "heap-B/object"} {
				if !slices.ContainsFunc(figures, func(f Figure) bool { return f.Unit == unit && f.Value > 0 }) {
					t.Errorf("no %s in %v", unit, figures)
				}
			}
		})
	}
}

func TestAKeyThatIsLostIsFound(t *testing.T) {
	counter := newCounter(2)
	pass := func(keep int) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		kept := 0
		lossy := controller{enqueue: func(keys iter.Seq[types.NamespacedName]) {
			for key := range keys {
				kept++
				if kept <= keep {
					counter.reconcile(&metav1.ObjectMeta{Name: key.Name})
				} else {
					cancel()
				}
			}
		}}
		return counter.pass(ctx, lossy, keys(2))
	}
	if err := pass(2); err != nil {
		t.Error(err)
	}
	if err := pass(1); err == nil {
		t.Error("a pass that has lost a key is no error")
	}
}

func TestEveryTaskHasItsName(t *testing.T) {
	seen := make(map[string]bool)
	for _, task := range Tasks(Size{Objects: 20_000, Writes: 1000, Growth: []int{10_000, 100_000}}) {
		if seen[task.Name()] {
			t.Errorf("two tasks are called %s", task.Name())
		}
		seen[task.Name()] = true
	}
	for _, name := range []string{
		"SyncPods/impl=sluice-shared/managedFields=dropped", "SyncCronTabs/impl=client-go/managedFields=kept",
		"ControllerLatency/impl=controller-runtime", "ControllerThroughput/impl=sluice/workers=8",
		"ControllerGrowth/impl=client-go/objects=100000",
	} {
		if !seen[name] {
			t.Errorf("no task is called %s", name)
		}
	}
	if _, _, err := (Task{Workload: "Absent"}).Do(t.Context(), nil, io.Discard); err == nil {
		t.Error("a workload that is not known is no error")
	}
}
