package contest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
	"github.com/sluice-k8s/sluice/hack/bench/internal/usage"
)

const (
	// ConfigMaps is how many there are that are written to, in turn.
	ConfigMaps = 1000
	// WritesPerSecond leave a queue idle.
	WritesPerSecond = 100
	// Warmup is how many writes come before those that count.
	Warmup = 100

	// Ready is the line that says that writes may come.
	Ready = "ready"
)

// latency measures from just before an object is written, by another process, until its reconcile starts.
func (t Task) latency(ctx context.Context, config *rest.Config, ready io.Writer) (int, []Figure, error) {
	first, written := newRoll(ConfigMaps), newLatencies(Warmup+t.Writes)
	c, err := configMapController(t.Implementation, config, fleet.ConfigMapNamespace, func(obj metav1.Object) {
		if obj.GetName() == fleet.RootCA {
			return
		}
		if stamp, err := fleet.StampOf(obj); err != nil || stamp.Run == t.Run {
			written.add(stamp, err)
		} else {
			first.see(obj.GetName())
		}
	})
	if err != nil {
		return 0, nil, err
	}
	stop := inBackground(ctx, c.run)
	meter, err := waitUntilReady(ctx, first, ready)
	if err == nil {
		err = written.wait(ctx)
	}
	taken, usageErr := meter.Read()
	if err := errors.Join(err, usageErr, first.err(), stop()); err != nil {
		return 0, nil, err
	}
	sorted := written.sorted(Warmup)
	return t.Writes, []Figure{
		{float64(quantile(sorted, 0.5)), "ns/op"},
		{float64(quantile(sorted, 0.99)), "p99-ns"},
		{float64(taken.CPU) / float64(Warmup+t.Writes), "cpu-ns/op"},
	}, nil
}

// waitUntilReady waits until all objects have been reconciled once, and says so.
func waitUntilReady(ctx context.Context, first *roll, ready io.Writer) (usage.Meter, error) {
	select {
	case <-first.all:
	case <-ctx.Done():
		return usage.Meter{}, fmt.Errorf("%d objects are missing: %w", first.missing(), ctx.Err())
	}
	if _, err := fmt.Fprintln(ready, Ready); err != nil {
		return usage.Meter{}, err
	}
	return usage.Start()
}

// latencies are of the writes of one run.
type latencies struct {
	all chan struct{} // closed when as many are there as are wanted

	mu    sync.Mutex
	want  int
	seen  map[int64]bool // stamps
	took  []time.Duration
	wrong error
}

func newLatencies(want int) *latencies {
	return &latencies{all: make(chan struct{}), want: want, seen: make(map[int64]bool)}
}

// add notes a reconcile that starts now. A write counts once, however often its object is reconciled.
func (l *latencies) add(written fleet.Stamp, err error) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.wrong = err
		return
	}
	if stamp := written.Time.UnixNano(); !l.seen[stamp] && len(l.took) < l.want {
		l.seen[stamp] = true
		l.took = append(l.took, now.Sub(written.Time))
		if len(l.took) == l.want {
			close(l.all)
		}
	}
}

func (l *latencies) wait(ctx context.Context) error {
	select {
	case <-l.all:
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if missing := l.want - len(l.took); missing > 0 {
		return errors.Join(fmt.Errorf("%d of %d writes were not reconciled: %w", missing, l.want, ctx.Err()), l.wrong)
	}
	return l.wrong
}

// sorted returns the latencies after the first ones, the shortest first.
func (l *latencies) sorted(after int) []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(slices.Values(l.took[after:]))
}

// quantile returns the value that a share of all, which are sorted, does not exceed.
func quantile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	at := int(math.Ceil(share*float64(len(sorted)))) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}
