package lease

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
)

// The moment between the last renewal and the release belongs to anybody.
func TestGivesUpOnlyItsOwn(t *testing.T) {
	for name, interfere := range map[string]func(s *server, verb string){
		"taken before it is read":   func(s *server, verb string) { s.heldBy("b") },
		"taken after it was read":   func(s *server, verb string) { takeOn(s, verb, "update", "b") },
		"the same name, later":      func(s *server, verb string) { retake(s) },
		"deleted before it is read": func(s *server, verb string) { s.remove() },
		"deleted after it was read": func(s *server, verb string) { removeOn(s, verb, "update") },
		"touched after it was read": func(s *server, verb string) { touchOn(s, verb, "update") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{}
				p := start(t, s, Config{Identity: "a"})
				p.leads()
				synctest.Wait()
				once := true
				s.fault(func(_ context.Context, verb string) error {
					if once && (verb == "update" || !strings.Contains(name, "after")) {
						once = false
						interfere(s, verb)
					}
					return nil
				})
				if err := p.ends(); err != nil {
					t.Errorf("Run: %v", err)
				}
				switch {
				case strings.HasPrefix(name, "taken") && s.holder() != "b", strings.HasPrefix(name, "the same") && s.holder() != "a":
					t.Errorf("overwritten: held by %q", s.holder())
				case strings.HasPrefix(name, "touched") && s.holder() != "":
					t.Errorf("not given up: held by %q", s.holder())
				}
			})
		})
	}
}

func takeOn(s *server, verb, on, holder string) {
	if verb == on {
		s.heldBy(holder)
	}
}

func removeOn(s *server, verb, on string) {
	if verb == on {
		s.remove()
	}
}

func touchOn(s *server, verb, on string) {
	if verb == on {
		s.change(func(*coordinationv1.LeaseSpec) {})
	}
}

func retake(s *server) {
	s.change(func(spec *coordinationv1.LeaseSpec) {
		spec.AcquireTime = new(microTime(instant{wall: time.Now().Add(time.Hour)}))
	})
}

// A process that is stopped while it takes the lease does not leave it behind.
func TestAStandbyGivesUpWhatItMayHaveGot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		s.after = func(ctx context.Context, verb string) error {
			if verb != "create" {
				return nil
			}
			<-ctx.Done() // the answer is lost
			return ctx.Err()
		}
		p := start(t, s, Config{Identity: "b"})
		synctest.Wait()
		if s.holder() != "b" {
			t.Fatal("not created")
		}
		p.stop(nil)
		if err := <-p.ended; err != nil || s.holder() != "" {
			t.Errorf("Run: %v; held by %q", err, s.holder())
		}
	})
}

// A renewal is under way, and takes its time to break off, when lead returns. The lease is given up when nothing can follow.
func TestTheLastRenewalEndsBeforeTheRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := start(t, s, Config{Identity: "a"})
		p.leads()
		var renewing atomic.Bool
		s.fault(func(ctx context.Context, verb string) error {
			if verb == "get" && renewing.Load() {
				t.Error("it is given up while a renewal is under way")
			}
			if verb == "update" && ctx.Err() == nil && renewing.CompareAndSwap(false, true) {
				<-ctx.Done()
				time.Sleep(time.Second)
				renewing.Store(false)
				s.fault(nil)
				return ctx.Err()
			}
			return nil
		})
		time.Sleep(3 * time.Second)
		if !renewing.Load() {
			t.Error("no renewal is under way")
		}
		if err := p.ends(); err != nil || s.holder() != "" {
			t.Errorf("Run: %v; held by %q", err, s.holder())
		}
	})
}

// The server is away for a moment while the program stops. The lease is given up when it is back.
func TestGivesUpWhenTheServerIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := start(t, s, Config{Identity: "a"})
		p.leads()
		s.fault(func(context.Context, string) error { return errors.New("connection refused") })
		time.AfterFunc(3*time.Second, func() { s.fault(nil) })
		if err := p.ends(); err != nil || s.holder() != "" {
			t.Errorf("Run: %v; held by %q", err, s.holder())
		}
	})
}

// It does not come back: the stop takes half of the renew deadline longer, not for ever.
func TestGivingUpIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := start(t, s, Config{Identity: "a"})
		p.leads()
		s.fault(func(context.Context, string) error { return errors.New("connection refused") })
		began := time.Now()
		if err := p.ends(); err != nil {
			t.Errorf("Run: %v", err)
		}
		between(t, "ended", time.Since(began), 5*time.Second, 5*time.Second)
	})
}
