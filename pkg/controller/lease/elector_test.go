package lease

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
