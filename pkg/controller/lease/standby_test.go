package lease

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
)

// The other's times, whatever its clock shows, play no part: only that it changes its Lease.
func TestAStandbyWaitsByItsOwnClock(t *testing.T) {
	for name, skew := range map[string]time.Duration{"slow": -24 * time.Hour, "fast": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{}
				sign := func() {
					s.heldBy("a")
					s.change(func(spec *coordinationv1.LeaseSpec) {
						spec.RenewTime = new(microTime(instant{wall: time.Now().Add(skew)}))
					})
				}
				sign() // before anybody looks: what is free is taken at once
				p := start(t, s, Config{Identity: "b"})
				defer func() { _ = p.ends() }()
				for range 10 {
					time.Sleep(10 * time.Second)
					p.allowed(false)
					sign()
				}
				_, after := p.leads()
				between(t, "leads", after, 15*time.Second, 15*time.Second+2*2400*time.Millisecond)
				if got := p.Status().Transitions; got != 1 {
					t.Errorf("%d transitions, want 1", got)
				}
			})
		})
	}
}

func TestAStandbyStopsAtOnceAndCleanly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		s.heldBy("a")
		p := start(t, s, Config{Identity: "b"})
		time.Sleep(time.Second)
		began := time.Now()
		p.stop(nil)
		if err := <-p.ended; err != nil || time.Since(began) != 0 || s.holder() != "a" {
			t.Errorf("Run: %v after %v, held by %q", err, time.Since(began), s.holder())
		}
	})
}

// Somebody writes a shorter duration into the Lease. A standby gives the holder the time that it would promise itself.
func TestAShortenedLeaseIsNotTakenEarlier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		s.heldBy("a")
		s.change(func(spec *coordinationv1.LeaseSpec) { spec.LeaseDurationSeconds = new(int32(1)) })
		p := start(t, s, Config{Identity: "b"})
		_, after := p.leads()
		between(t, "leads", after, 15*time.Second, 15*time.Second+2400*time.Millisecond)
		_ = p.ends()
	})
}

// A standby is ready as long as it knows who leads. One that can't get at the Lease would never take over.
func TestReadyTellsAStandbyFromOneThatIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		s.heldBy("a")
		forbidden := errors.New("forbidden")
		s.before = func(context.Context, string) error { return forbidden }
		p := start(t, s, Config{Identity: "b"})
		ready := func(want error) {
			t.Helper()
			synctest.Wait()
			if err := p.Ready(); !errors.Is(err, want) {
				t.Errorf("ready: %v, want %v", err, want)
			}
		}
		ready(forbidden)
		s.fault(nil)
		time.Sleep(3 * time.Second)
		ready(nil)
		s.fault(func(context.Context, string) error { return forbidden })
		time.Sleep(3 * time.Second)
		ready(forbidden)
		s.fault(nil)
		time.Sleep(3 * time.Second)
		ready(nil)
		s.change(func(spec *coordinationv1.LeaseSpec) { spec.HolderIdentity = new("") })
		p.leads()
		ready(nil)
		s.fault(func(context.Context, string) error { return forbidden })
		time.Sleep(5 * time.Second)
		ready(nil) // it still leads
		time.Sleep(5 * time.Second)
		ready(forbidden)
		_ = p.ends()
		fresh, err := New(Config{Client: s, Name: "it"})
		if err != nil || !errors.Is(fresh.Ready(), ErrNotLeader) {
			t.Errorf("ready before it has begun: %v, %v", fresh.Ready(), err)
		}
	})
}

// Those who stand by do not ask in step.
func TestStandbysAskAtRandom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		s.heldBy("a")
		var last time.Time
		waits := make(map[time.Duration]bool)
		s.before = func(context.Context, string) error {
			if wait := time.Since(last); !last.IsZero() {
				between(t, "asked again", wait, 2*time.Second, 2400*time.Millisecond)
				waits[wait] = true
			}
			last = time.Now()
			return nil
		}
		p := start(t, s, Config{Identity: "b"})
		time.Sleep(12 * time.Second)
		p.stop(nil)
		if err := <-p.ended; err != nil || len(waits) < 2 {
			t.Errorf("%v; waits %v, want different ones", err, waits)
		}
	})
}
