package contest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
)

func TestQuantiles(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for _, test := range []struct {
		sorted []time.Duration
		share  float64
		want   time.Duration
	}{
		{nil, 0.5, 0},
		{hundred[:1], 0.99, 1},
		{hundred[:3], 0.5, 2},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 1, 100},
	} {
		if got := quantile(test.sorted, test.share); got != test.want {
			t.Errorf("%g of %d values: %d, want %d", test.share, len(test.sorted), got, test.want)
		}
	}
}

func TestAWriteCountsOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := newLatencies(2)
	first := fleet.Stamp{Run: "r", Time: time.Now()}
	l.add(first, nil)
	l.add(first, nil) // the object is reconciled again
	cancelled, stop := context.WithCancel(ctx)
	stop()
	if err := l.wait(cancelled); !errors.Is(err, context.Canceled) {
		t.Fatalf("one write of two: %v", err)
	}
	l.add(fleet.Stamp{Run: "r", Time: first.Time.Add(1)}, nil)
	if err := l.wait(ctx); err != nil || len(l.sorted(1)) != 1 {
		t.Errorf("%v, and %d after the first", err, len(l.sorted(1)))
	}
}

func TestAnObjectWithoutAStampIsAnError(t *testing.T) {
	l := newLatencies(1)
	want := errors.New("no stamp")
	l.add(fleet.Stamp{}, want)
	l.add(fleet.Stamp{Time: time.Now()}, nil)
	if err := l.wait(t.Context()); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}
