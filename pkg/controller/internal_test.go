package controller

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

type silent struct{}

func (silent) logger() klog.Logger { return klog.Background() }

// A trial that does not take place, because its worker leaves before it gets a key, is another worker's.
func TestATrialIsHandedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(Breaker{Threshold: 1}.withDefaults(), clock.RealClock{})
		g.refused(silent{}, ErrTimeout)
		if trial, ok := g.pass(t.Context()); !trial || !ok {
			t.Fatal("the first to come is no trial")
		}
		second := make(chan bool, 1)
		go func() {
			trial, _ := g.pass(t.Context())
			second <- trial
		}()
		time.Sleep(time.Hour)
		if len(second) != 0 {
			t.Error("the second did not wait for the trial")
		}
		g.giveUp(true)
		if !<-second {
			t.Error("the second is no trial")
		}
		g.answered(silent{})
		if trial, ok := g.pass(t.Context()); trial || !ok || g.isShut() {
			t.Error("the gate is not open")
		}
	})
}

// A worker that waits for a trial leaves when it is told to.
func TestAWaitForATrialEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(Breaker{Threshold: 1}.withDefaults(), clock.RealClock{})
		g.refused(silent{}, ErrTimeout)
		g.pass(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, ok := g.pass(ctx); ok {
			t.Error("it passed")
		}
	})
}

func TestSeatsAreLeft(t *testing.T) {
	var s seats[string]
	first, second := &seat[string]{ids: &ids{}}, &seat[string]{ids: &ids{}}
	s.take(first)
	s.take(second)
	second.begin(true)
	s.leave(first)
	if got := s.busy(); len(s.taken) != 1 || got != 1 {
		t.Errorf("%d seats are taken, and %d are at work; want one", len(s.taken), got)
	}
}

func TestWorkersLeaveTheirSeats(t *testing.T) {
	c, err := New(Config[string]{Name: "test", Workers: 3, Reconcile: func(context.Context, string) Result { return Done() }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if len(c.seats.taken) != 0 {
		t.Errorf("%d seats are taken after the stop", len(c.seats.taken))
	}
}

func TestTheLastScalingsAreKept(t *testing.T) {
	var c counts
	for n := range 100 {
		c.scaled(Scaling{Workers: n})
	}
	last := c.lastScalings()
	if len(last) != scalingsKept || last[0].Workers != 100-scalingsKept || last[scalingsKept-1].Workers != 99 {
		t.Errorf("kept %+v", last)
	}
}
