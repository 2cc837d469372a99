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

func TestLostWhenTheServerIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := start(t, s, Config{Identity: "a"})
		ctx, _ := p.leads()
		outage := errors.New("connection refused")
		s.fault(func(context.Context, string) error { return outage })
		began := time.Now()
		<-ctx.Done()
		between(t, "lost", time.Since(began), 10*time.Second, 10*time.Second)
		p.allowed(false)
		if cause := context.Cause(ctx); !errors.Is(cause, ErrLost) || !errors.Is(cause, outage) {
			t.Errorf("cause %v, want ErrLost and the outage", cause)
		}
		p.drained <- nil
		if err := <-p.ended; !errors.Is(err, ErrLost) {
			t.Errorf("Run: %v, want ErrLost", err)
		}
	})
}

// Time counts from before the request, not from when its answer came; and a request that hangs loses the lease in time.
func TestTimeCountsFromBeforeTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{after: func(context.Context, string) error {
			time.Sleep(time.Second)
			return nil
		}}
		p := start(t, s, Config{Identity: "a"})
		ctx, _ := p.leads()
		s.fault(func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		})
		began := time.Now()
		<-ctx.Done()
		between(t, "lost", time.Since(began), 9*time.Second, 9*time.Second)
		_ = p.ends()
	})
}

func TestLostWhenSomebodyElseHoldsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := start(t, s, Config{Identity: "a"})
		ctx, _ := p.leads()
		s.heldBy("b")
		<-ctx.Done()
		p.allowed(false)
		if cause := context.Cause(ctx); !errors.Is(cause, ErrLost) || !strings.Contains(cause.Error(), `"b"`) {
			t.Errorf("cause %v, want ErrLost to b", cause)
		}
		if err := p.ends(); !errors.Is(err, ErrLost) {
			t.Errorf("Run: %v, want ErrLost", err)
		}
		if s.holder() != "b" {
			t.Error("the lease of somebody else was overwritten")
		}
		if err := p.Ready(); !errors.Is(err, ErrLost) {
			t.Errorf("ready: %v, want ErrLost", err)
		}
	})
}

// The answer that says it leads is lost. It finds out, without waiting for its own lease to expire.
func TestALostAnswerIsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		var lose atomic.Bool
		lose.Store(true)
		s.after = func(_ context.Context, verb string) error {
			if verb != "get" && lose.Swap(false) {
				return errors.New("connection reset")
			}
			return nil
		}
		p := start(t, s, Config{Identity: "a"})
		_, after := p.leads()
		between(t, "leads", after, 2*time.Second, 2400*time.Millisecond)
		lose.Store(true) // now that of a renewal
		time.Sleep(time.Minute)
		p.allowed(true)
		if got := p.Status().Transitions; got != 0 {
			t.Errorf("%d transitions of one holder", got)
		}
		_ = p.ends()
	})
}

// Two processes have been given the same identity. The second waits as if it had another.
func TestTheSameIdentityIsNotTheSameProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		a := start(t, s, Config{Identity: "same"})
		a.leads()
		b := start(t, s, Config{Identity: "same"})
		time.Sleep(time.Minute)
		a.allowed(true)
		b.allowed(false)
		if err := b.ends(); err != nil || s.holder() != "same" {
			t.Errorf("%v; held by %q", err, s.holder())
		}
		_ = a.ends()
	})
}

// Somebody deletes the Lease. Its holder makes it again; a standby that has seen it gives the holder its time.
func TestDeletedWhileHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		a := start(t, s, Config{Identity: "a"})
		a.leads()
		b := start(t, s, Config{Identity: "b"})
		for range 20 {
			time.Sleep(700 * time.Millisecond)
			s.remove()
			a.allowed(true)
			b.allowed(false)
		}
		time.Sleep(time.Minute)
		a.allowed(true)
		b.allowed(false)
		_, _ = b.ends(), a.ends()
	})
}

// The error names what was done to the Lease by hand.
func TestLostToWhoEditsTheLease(t *testing.T) {
	for words, edit := range map[string]func(s *server){
		"somebody else has given it up":               retire,
		`another process with the same identity, "a"`: retake,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{}
			p := start(t, s, Config{Identity: "a"})
			ctx, _ := p.leads()
			edit(s)
			<-ctx.Done()
			if err := p.ends(); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), words) {
				t.Errorf("Run: %v, want that %s", err, words)
			}
		})
	}
}

func retire(s *server) {
	s.change(func(spec *coordinationv1.LeaseSpec) { spec.HolderIdentity = new("") })
}
