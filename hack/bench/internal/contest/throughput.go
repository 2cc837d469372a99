package contest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
	"github.com/sluice-k8s/sluice/hack/bench/internal/usage"
)

// throughput adds all objects to the queue again and again, each time when all have been reconciled.
func (t Task) throughput(ctx context.Context, config *rest.Config) (int, []Figure, error) {
	counter := newCounter(t.Objects)
	c, err := podController(t.Implementation, config, t.Workers, counter.reconcile)
	if err != nil {
		return 0, nil, err
	}
	operations, taken, _, err := t.reconcileAll(ctx, c, counter)
	return operations, perOp(taken, operations), err
}

// reconcileAll runs the controller and has all objects reconciled, several times. It returns how many reconciles that was,
// what they took, and the heap that is live with all in place.
func (t Task) reconcileAll(ctx context.Context, c controller, counter *counter) (operations int, taken usage.Usage, heap int64, err error) {
	keys := keys(t.Objects)
	stop := inBackground(ctx, c.run)
	defer func() { err = errors.Join(err, stop()) }()
	if err := counter.wait(ctx); err != nil { // for what there is at the start
		return 0, taken, 0, err
	}
	heap = usage.LiveHeap()
	passes := max(1, t.Reconciles/t.Objects)
	meter, err := usage.Start()
	for i := 0; i < passes && err == nil; i++ {
		err = counter.pass(ctx, c, keys)
	}
	if err != nil {
		return 0, taken, 0, err
	}
	taken, err = meter.Read()
	if err == nil {
		err = t.callRoll(ctx, c, counter, keys)
	}
	return passes * t.Objects, taken, heap, err
}

// callRoll does one more pass, in which each object must be reconciled, and once.
func (t Task) callRoll(ctx context.Context, c controller, counter *counter, keys []types.NamespacedName) error {
	roll := newRoll(t.Objects)
	counter.roll.Store(roll)
	if err := counter.pass(ctx, c, keys); err != nil {
		return errors.Join(err, roll.err())
	}
	if missing := roll.missing(); missing > 0 {
		return errors.Join(fmt.Errorf("%d objects were not reconciled", missing), roll.err())
	}
	return roll.err()
}

func keys(objects int) []types.NamespacedName {
	keys := make([]types.NamespacedName, objects)
	for number := range keys {
		keys[number] = types.NamespacedName{Namespace: fleet.Namespace(number), Name: fleet.Name(number)}
	}
	return keys
}

// A counter counts reconciles down.
type counter struct {
	objects int64
	left    atomic.Int64
	all     chan struct{} // gets a value when none is left
	roll    atomic.Pointer[roll]
}

func newCounter(objects int) *counter {
	c := &counter{objects: int64(objects), all: make(chan struct{}, 1)}
	c.left.Store(int64(objects))
	return c
}

func (c *counter) reconcile(obj metav1.Object) {
	if roll := c.roll.Load(); roll != nil {
		roll.see(obj.GetName())
	}
	if c.left.Add(-1) == 0 {
		c.all <- struct{}{}
	}
}

// pass adds all keys and waits until as many have been reconciled.
func (c *counter) pass(ctx context.Context, controller controller, keys []types.NamespacedName) error {
	c.left.Store(c.objects)
	controller.enqueue(slices.Values(keys))
	return c.wait(ctx)
}

func (c *counter) wait(ctx context.Context) error {
	select {
	case <-c.all:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d of %d objects were not reconciled: %w", c.left.Load(), c.objects, ctx.Err())
	}
}
