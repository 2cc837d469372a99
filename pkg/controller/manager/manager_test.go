package manager_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/lease"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type runners = []controller.Runner

// telling is a client that writes into a diary who holds the lease.
type telling struct {
	lease.Client

	diary *diary
	cut   func() bool
}

var errCut = errors.New("cut off")

func (c telling) Get(ctx context.Context, name string, o metav1.GetOptions) (*coordinationv1.Lease, error) {
	if c.cut() {
		return nil, errCut
	}
	return c.Client.Get(ctx, name, o)
}

func (c telling) Update(ctx context.Context, l *coordinationv1.Lease, o metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	if c.cut() {
		return nil, errCut
	}
	if *l.Spec.HolderIdentity == "" {
		c.diary.write("lease given up")
	}
	return c.Client.Update(ctx, l, o)
}

func elector(t *testing.T, clients kubernetes.Interface, d *diary, identity string, cut ...func() bool) *lease.Elector {
	t.Helper()
	cut = append(cut, func() bool { return false })
	e, err := lease.New(lease.Config{
		Client: telling{clients.CoordinationV1().Leases("default"), d, cut[0]}, Name: "test", Identity: identity,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The whole life of a program, with all that it may have.
func TestStartsAndStopsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		e, _ := electors(t, d)
		synced := make(chan struct{})
		cause := make(chan error, 1)
		p := start(t, manager.Config{
			Informers:   runners{syncing{part: part{name: "informer", diary: d, takes: time.Second}, synced: synced}},
			Recorders:   runners{part{name: "recorder", diary: d, takes: time.Second}},
			Unelected:   runners{part{name: "unelected", diary: d, takes: 5 * time.Second}},
			Controllers: runners{part{name: "quick", diary: d, takes: time.Second, cause: cause}, part{name: "slow", diary: d, takes: 20 * time.Second}},
			Election:    e,
		})
		d.lacks(t, "quick starts", "slow starts", "unelected starts")
		time.Sleep(time.Minute)
		if !p.log.has("Still waiting for sync") || !p.log.has("no list yet") {
			t.Error("it does not say what it waits for")
		}
		close(synced)
		time.Sleep(time.Minute)
		if err := p.Ready(); err != nil {
			t.Errorf("ready: %v", err)
		}
		began := time.Now()
		if err := p.ends(); err != nil {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(began); took != 22*time.Second { // the slowest controller, the recorder, the informer
			t.Errorf("the stop took %v; grace periods must not add up", took)
		}
		if got := <-cause; !errors.Is(got, errTerminated) {
			t.Errorf("a controller's context ended for %v, want the signal", got)
		}
		d.inOrder(t, "informer starts", "informer synced", "quick starts", "quick stops", "quick ended", "slow ended",
			"recorder stops", "recorder ended", "lease given up", "informer stops", "informer ended")
		d.inOrder(t, "recorder starts", "informer synced", "unelected starts", "unelected stops", "unelected ended", "recorder stops")
		d.inOrder(t, "informer synced", "slow starts", "slow stops", "unelected ended")
		if !p.log.has("terminated signal received") {
			t.Error("the log does not say why it has stopped")
		}
	})
}

// A standby has its informers ready, runs what needs no lease, and takes over at once.
func TestAStandbyIsWarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leads, d := &diary{}, &diary{}
		one, two := electors(t, leads)
		leader := start(t, manager.Config{Controllers: runners{part{name: "controller", diary: leads}}, Election: one})
		standby := start(t, manager.Config{
			Informers:   runners{part{name: "informer", diary: d}},
			Unelected:   runners{part{name: "unelected", diary: d}},
			Controllers: runners{part{name: "controller", diary: d}},
			Election:    two,
		})
		time.Sleep(time.Minute)
		d.inOrder(t, "informer starts")
		d.inOrder(t, "unelected starts")
		d.lacks(t, "controller starts")
		if err := standby.Ready(); err != nil {
			t.Errorf("ready: %v", err)
		}
		if err := leader.ends(); err != nil {
			t.Error(err)
		}
		time.Sleep(3 * time.Second)
		d.inOrder(t, "controller starts")
		if err := standby.ends(); err != nil {
			t.Error(err)
		}
	})
}

func TestAStandbyStopsCleanly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leads, d := &diary{}, &diary{}
		one, two := electors(t, leads)
		leader := start(t, manager.Config{Controllers: runners{part{name: "controller", diary: leads}}, Election: one})
		standby := start(t, manager.Config{
			Informers:   runners{part{name: "informer", diary: d}},
			Recorders:   runners{part{name: "recorder", diary: d}},
			Controllers: runners{part{name: "controller", diary: d}},
			Election:    two,
		})
		if err := standby.ends(); err != nil {
			t.Errorf("Run: %v", err)
		}
		d.inOrder(t, "recorder ended", "informer stops", "informer ended")
		d.lacks(t, "controller starts")
		if err := leader.ends(); err != nil {
			t.Error(err)
		}
	})
}

func TestALostLeaseEndsTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		var cut atomic.Bool
		e := elector(t, fake.NewClientset(), d, "one", cut.Load)
		cause := make(chan error, 1)
		p := start(t, manager.Config{
			Informers:   runners{part{name: "informer", diary: d}},
			Unelected:   runners{part{name: "unelected", diary: d}},
			Controllers: runners{part{name: "controller", diary: d, cause: cause}},
			Election:    e,
		})
		time.Sleep(time.Minute)
		cut.Store(true)
		err := <-p.ended
		if !errors.Is(err, lease.ErrLost) || !errors.Is(err, errCut) || manager.Code(t.Context(), err) != manager.ExitLost {
			t.Errorf("Run: %v", err)
		}
		if got := <-cause; !errors.Is(got, lease.ErrLost) {
			t.Errorf("a controller's context ended for %v", got)
		}
		d.inOrder(t, "controller stops", "informer stops")
		d.inOrder(t, "unelected stops", "informer stops")
		d.lacks(t, "lease given up")
	})
}

// One controller fails. The others go on, and the program says that something is wrong.
func TestAFailureStopsNobodyElse(t *testing.T) {
	boom := errors.New("boom")
	for name, broken := range map[string]part{
		"error": {after: time.Second, fails: boom},
		"panic": {after: time.Second, panic: boom},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &diary{}
				broken.name, broken.diary = "broken", d
				p := start(t, manager.Config{Controllers: runners{broken, part{name: "sound", diary: d}}})
				time.Sleep(time.Minute)
				d.lacks(t, "sound stops")
				if err := p.Ready(); err == nil || !strings.Contains(err.Error(), "controllers/broken: ") {
					t.Errorf("ready: %v, want that broken failed", err)
				}
				if !p.log.has(`"Unhealthy"`) || !p.log.has("boom") {
					t.Error("not logged")
				}
				err := p.ends()
				if err == nil || !strings.Contains(err.Error(), "boom") || manager.Code(t.Context(), err) != manager.ExitError {
					t.Errorf("Run: %v, want the failure", err)
				}
				if panicked, ok := errors.AsType[*controller.PanicError](err); (name == "panic") != (ok && len(panicked.Stack) > 0) {
					t.Errorf("Run: %v", err)
				}
			})
		})
	}
}

func TestStopOnFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		boom := errors.New("boom")
		p := start(t, manager.Config{
			Informers:     runners{part{name: "informer", diary: d, after: time.Minute, fails: boom}},
			Controllers:   runners{part{name: "sound", diary: d}},
			StopOnFailure: true,
		})
		if err := <-p.ended; !errors.Is(err, boom) {
			t.Errorf("Run: %v", err)
		}
		d.inOrder(t, "informer ended", "sound stops", "sound ended")
	})
}

// An informer that can't sync keeps back nobody who does not need it.
func TestAnInformerThatNeverSyncs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		never := errors.New("stopped")
		p := start(t, manager.Config{
			Informers:   runners{syncing{part: part{name: "informer", diary: d}, never: never}},
			Controllers: runners{part{name: "controller", diary: d}},
		})
		d.inOrder(t, "controller starts")
		if err := p.Ready(); !errors.Is(err, never) {
			t.Errorf("ready: %v", err)
		}
		if err := p.ends(); !errors.Is(err, never) {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestStoppedBeforeSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		e, _ := electors(t, d)
		p := start(t, manager.Config{
			Informers:   runners{syncing{part: part{name: "informer", diary: d}, synced: make(chan struct{})}},
			Controllers: runners{part{name: "controller", diary: d}},
			Election:    e,
		})
		if err := p.ends(); err != nil {
			t.Errorf("Run: %v", err)
		}
		d.lacks(t, "controller starts", "lease given up")
		d.inOrder(t, "informer ended")
	})
}

// The work is done: all controllers have ended.
func TestEndsWhenAllControllersHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		e, _ := electors(t, d)
		p := start(t, manager.Config{
			Informers:   runners{part{name: "informer", diary: d}},
			Controllers: runners{part{name: "one", diary: d, after: time.Second}, part{name: "two", diary: d, after: time.Minute}},
			Election:    e,
		})
		if err := <-p.ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		d.inOrder(t, "one ended", "two ended", "lease given up", "informer ended")
		if !p.log.has("all controllers have ended") {
			t.Error("the log does not say why it has stopped")
		}
	})
}

// Something does not stop. Run returns in time, says what it is, and leaves the lease to expire.
func TestGracePeriodIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		e, _ := electors(t, d)
		release := make(chan struct{})
		p := start(t, manager.Config{
			Informers:   runners{part{name: "informer", diary: d}},
			Controllers: runners{part{name: "stuck", diary: d, hangs: release}, part{name: "sound", diary: d}},
			Election:    e,
			GracePeriod: 10 * time.Second,
		})
		began := time.Now()
		err := p.ends()
		if !errors.Is(err, manager.ErrGracePeriod) || manager.Code(t.Context(), err) != manager.ExitGrace ||
			!strings.HasSuffix(err.Error(), "still running: informers/informer, controllers/stuck") {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %v", took)
		}
		if err := p.Live(); !errors.Is(err, manager.ErrGracePeriod) {
			t.Errorf("live: %v", err)
		}
		d.lacks(t, "lease given up", "informer stops")
		close(release) // in a program the process would end
		synctest.Wait()
		d.inOrder(t, "stuck ended", "lease given up", "informer ended")
	})
}

func TestAStopWithoutBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, manager.Config{GracePeriod: -1, Controllers: runners{
			giving(func(context.Context) error { time.Sleep(time.Hour); return nil }),
		}})
		if err := p.ends(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestReadyFollowsTheRunners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		var stale error
		p := start(t, manager.Config{Informers: runners{part{name: "informer", diary: d, ready: func() error { return stale }}}})
		if err := p.Ready(); err != nil {
			t.Errorf("ready: %v", err)
		}
		stale = errors.New("stale for 6 minutes")
		if err := p.Ready(); !errors.Is(err, stale) {
			t.Errorf("ready: %v", err)
		}
		p.stop(nil)
		synctest.Wait()
		if err := p.Ready(); err == nil {
			t.Error("ready after the stop")
		}
		if err := <-p.ended; err != nil {
			t.Error(err)
		}
	})
}

func TestARunnerMayEndItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, manager.Config{Controllers: runners{exits{}}})
		if err := <-p.ended; err == nil || !strings.Contains(err.Error(), "controllers/0: has ended its goroutine") {
			t.Errorf("Run: %v", err)
		}
	})
}

type exits struct{}

func (exits) Run(context.Context) error {
	runtime.Goexit()
	return nil
}

func TestRunsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, manager.Config{})
		if err := p.Run(t.Context()); !errors.Is(err, manager.ErrStarted) {
			t.Errorf("second Run: %v", err)
		}
		if err := p.ends(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestConfigIsValidated(t *testing.T) {
	for words, config := range map[string]manager.Config{
		"Config.Name":           {},
		"Config.HealthAddress":  {Name: "x", HealthAddress: "8081"},
		"Config.Informers[1]":   {Name: "x", Informers: runners{exits{}, nil}},
		"Config.Controllers[0]": {Name: "x", Controllers: runners{nil}},
		"Config.Unelected[0]":   {Name: "x", Unelected: runners{nil}},
		"Config.Recorders[0]":   {Name: "x", Recorders: runners{nil}},
	} {
		if _, err := manager.New(config); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", words, err)
		}
	}
}
