package contest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
	"github.com/sluice-k8s/sluice/hack/bench/internal/usage"
)

// A cached is a cache with one index, by workload, and one handler.
type cached struct {
	run    func(context.Context) error // until the context is done
	count  func() int
	lookup func(app string) int // how many objects the index has; nil if there is none
}

// open returns a cache that calls handle with each object that is added. It does nothing until it is run.
type open func(config *rest.Config, handle func(metav1.Object)) (cached, error)

// caches are what a sync can be done by.
type caches map[contestant]open

type contestant struct{ implementation, managed string }

// sync measures from the first request until the handler has had every object, and then what the objects take.
func (t Task) sync(ctx context.Context, config *rest.Config, caches caches) (int, []Figure, error) {
	open, ok := caches[contestant{t.Implementation, t.Managed}]
	if !ok {
		return 0, nil, fmt.Errorf("there is no %s", t.Name())
	}
	roll := newRoll(t.Objects)
	c, err := open(config, t.check(roll))
	if err != nil {
		return 0, nil, err
	}
	before := usage.LiveHeap()
	meter, err := usage.Start()
	if err != nil {
		return 0, nil, err
	}
	stop := inBackground(ctx, c.run)
	taken, err := t.waitFor(ctx, roll, meter)
	if err == nil {
		err = t.verify(c, roll)
	}
	peak, peakErr := usage.PeakRSS()
	heap := usage.LiveHeap() - before
	return t.Objects, append(perOp(taken, t.Objects),
		Figure{float64(heap) / float64(t.Objects), "heap-B/op"}, Figure{float64(peak), "peak-B"}), errors.Join(err, peakErr, stop())
}

// check returns a handler that notes an object and looks whether it has what it should have.
func (t Task) check(roll *roll) func(metav1.Object) {
	return func(obj metav1.Object) {
		if has := len(obj.GetManagedFields()) > 0; has != (t.Managed == Kept) {
			roll.fail(fmt.Errorf("managed fields of %q are there: %t", obj.GetName(), has))
		}
		if len(obj.GetLabels()) == 0 || obj.GetUID() == "" {
			roll.fail(fmt.Errorf("%q is not whole", obj.GetName()))
		}
		roll.see(obj.GetName())
	}
}

func (t Task) waitFor(ctx context.Context, roll *roll, meter usage.Meter) (usage.Usage, error) {
	select {
	case <-roll.all:
		return meter.Read()
	case <-ctx.Done():
		return usage.Usage{}, errors.Join(fmt.Errorf("%d objects are missing: %w", roll.missing(), ctx.Err()), roll.err())
	}
}

func (t Task) verify(c cached, roll *roll) error {
	if err := roll.err(); err != nil {
		return err
	}
	if got := c.count(); got != t.Objects {
		return fmt.Errorf("%d objects in the cache, want %d", got, t.Objects)
	}
	if c.lookup == nil {
		return nil
	}
	indexed := 0
	for app := range fleet.Workloads {
		indexed += c.lookup(fleet.App(app))
	}
	if indexed != t.Objects {
		return fmt.Errorf("%d objects in the index, want %d", indexed, t.Objects)
	}
	return nil
}

// perOp returns the figures that each workload has.
func perOp(taken usage.Usage, operations int) []Figure {
	n := float64(operations)
	return []Figure{
		{float64(taken.Wall.Nanoseconds()) / n, "ns/op"},
		{float64(taken.CPU.Nanoseconds()) / n, "cpu-ns/op"},
		{float64(taken.Bytes) / n, "B/op"},
		{float64(taken.Allocs) / n, "allocs/op"},
	}
}

// inBackground runs something until it is stopped.
func inBackground(ctx context.Context, run func(context.Context) error) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	var err error
	running.Go(func() { err = run(ctx) })
	return func() error {
		cancel()
		running.Wait()
		return err
	}
}
