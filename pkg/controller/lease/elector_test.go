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
	"k8s.io/klog/v2/textlogger"
)

// A process runs an elector until its context is cancelled, in virtual time.
type process struct {
	t *testing.T
	*Elector

	stop    context.CancelCauseFunc
	leading chan context.Context // of lead, when it is called
	drained chan error           // lets lead return, after its context has ended
	ended   chan error           // of Run
}

func start(t *testing.T, client Client, config Config) *process {
	t.Helper()
	config.Client, config.Name = client, "it"
	config.Logger = textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(t.Output())))
	e, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t, e, nil, make(chan context.Context, 1), make(chan error, 1), make(chan error, 1)}
	ctx, stop := context.WithCancelCause(t.Context())
	p.stop = stop
	go func() { p.ended <- e.Run(ctx, p.lead) }()
	return p
}

func (p *process) lead(ctx context.Context) error {
	p.leading <- ctx
	<-ctx.Done()
	return <-p.drained
}

// leads waits until the process leads, and returns how long that took.
func (p *process) leads() (ctx context.Context, after time.Duration) {
	p.t.Helper()
	began := time.Now()
	select {
	case ctx = <-p.leading:
		return ctx, time.Since(began)
	case <-time.After(time.Hour):
		p.t.Fatal("it does not lead")
		return nil, 0
	}
}

// ends stops the process, which drains at once.
func (p *process) ends() error {
	p.stop(nil)
	p.drained <- nil
	return <-p.ended
}

func (p *process) allowed(want bool) {
	p.t.Helper()
	if err := p.Fence().Allowed(); (err == nil) != want || err != nil && !errors.Is(err, ErrNotLeader) {
		p.t.Errorf("allowed: %v, want allowed %v", err, want)
	}
}

// between fails the test unless a time is within bounds.
func between(t *testing.T, what string, got, least, most time.Duration) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s after %v, want %v to %v", what, got, least, most)
	}
}

func TestTheFirstLeadsAtOnceAndGivesUpAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := start(t, s, Config{Identity: "a"})
		_, after := p.leads()
		between(t, "leads", after, 0, 0)
		p.allowed(true)
		time.Sleep(time.Hour)
		p.allowed(true)
		if err := p.ends(); err != nil {
			t.Error(err)
		}
		p.allowed(false)
		if s.holder() != "" || *s.spec().LeaseDurationSeconds != 1 {
			t.Errorf("the lease was not given up: %+v", s.spec())
		}
	})
}

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

func TestHandOverTakesOnePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		a := start(t, s, Config{Identity: "a"})
		a.leads()
		b := start(t, s, Config{Identity: "b"})
		time.Sleep(time.Minute)
		if got := b.Status(); got.Holder != "a" || got.Leading || !strings.Contains(got.Standby.Error(), `held by "a"`) {
			t.Errorf("status of the standby: %+v", got)
		}
		if err := a.ends(); err != nil {
			t.Error(err)
		}
		_, after := b.leads()
		between(t, "leads", after, 0, 2400*time.Millisecond)
		if err := b.ends(); err != nil {
			t.Error(err)
		}
	})
}

// The lease is renewed as long as lead takes to return, and given up only then.
func TestRenewsWhileItDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := start(t, s, Config{Identity: "a"})
		ctx, _ := p.leads()
		reason := errors.New("terminated")
		p.stop(reason)
		<-ctx.Done()
		if !errors.Is(context.Cause(ctx), reason) {
			t.Errorf("cause %v, want that of the parent", context.Cause(ctx))
		}
		for range 60 {
			time.Sleep(time.Second)
			p.allowed(true)
			if s.holder() != "a" {
				t.Fatal("given up before it was drained")
			}
		}
		failure := errors.New("failure of lead")
		p.drained <- failure
		if err := <-p.ended; !errors.Is(err, failure) {
			t.Errorf("Run: %v, want the error of lead", err)
		}
		if s.holder() != "" {
			t.Error("not given up")
		}
	})
}

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

// Labels and annotations of the Lease are other people's.
func TestKeepsWhatOthersWroteOnTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		s.heldBy("")
		s.lease.Labels = map[string]string{"app": "db"}
		p := start(t, s, Config{Identity: "a"})
		p.leads()
		time.Sleep(time.Minute)
		if err := p.ends(); err != nil || s.lease.Labels["app"] != "db" {
			t.Errorf("%v; labels %v", err, s.lease.Labels)
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

// A server that takes its time for an answer gets the next renewal no later.
func TestRenewsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{before: func(context.Context, string) error {
			time.Sleep(1500 * time.Millisecond)
			return nil
		}}
		p := start(t, s, Config{Identity: "a"})
		p.leads()
		before := s.count("update")
		time.Sleep(time.Minute)
		if got := s.count("update") - before; got < 29 || got > 30 {
			t.Errorf("%d renewals in a minute, want one each 2s", got)
		}
		_ = p.ends()
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

func TestRunsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, &server{}, Config{})
		p.leads()
		if err := p.Run(t.Context(), p.lead); !errors.Is(err, ErrStarted) {
			t.Errorf("second Run: %v", err)
		}
		_ = p.ends()
	})
}

func TestPanicOfLeadIsThatOfRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := New(Config{Client: &server{}, Name: "it"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if recover() != "oops" || e.Fence().Allowed() == nil {
				t.Errorf("fence: %v", e.Fence().Allowed())
			}
		}()
		_ = e.Run(t.Context(), func(context.Context) error { panic("oops") })
	})
}

func TestConfigIsValidated(t *testing.T) {
	for field, config := range map[string]Config{
		"Client":        {},
		"Name is":       {Client: &server{}},
		"Name \"A_B\"":  {Client: &server{}, Name: "A_B"},
		"Identity":      {Client: &server{}, Name: "it", Identity: strings.Repeat("x", 254)},
		"Duration":      {Client: &server{}, Name: "it", Duration: 1500 * time.Millisecond},
		"RenewDeadline": {Client: &server{}, Name: "it", RenewDeadline: 15 * time.Second},
		"RetryPeriod":   {Client: &server{}, Name: "it", RetryPeriod: 5 * time.Second},
	} {
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), "Config."+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	one, two := Config{}.withDefaults().Identity, Config{}.withDefaults().Identity
	if one == two || one == "" {
		t.Errorf("identities %q and %q", one, two)
	}
}
