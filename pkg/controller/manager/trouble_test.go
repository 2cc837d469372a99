package manager_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/controller/lease"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
)

// An informer that ends by itself leaves a cache behind that grows old, and a recorder loses events. Both have failed.
func TestWhatMustLastHasFailedWhenItEnds(t *testing.T) {
	for name, config := range map[string]manager.Config{
		"informers/brief": {Informers: runners{part{name: "brief", after: time.Second}}},
		"recorders/brief": {Recorders: runners{part{name: "brief", after: time.Second}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := &diary{}
			for _, list := range []runners{config.Informers, config.Recorders} {
				for n := range list {
					p, _ := list[n].(part)
					p.diary = d
					list[n] = p
				}
			}
			config.Controllers = runners{part{name: "controller", diary: d}}
			p := start(t, config)
			time.Sleep(time.Minute)
			want := name + ": has ended before it was stopped"
			if err := p.Ready(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("ready: %v, want %q", err, want)
			}
			d.lacks(t, "controller stops")
			if err := p.ends(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Run: %v, want %q", err, want)
			}
		})
	}
}

// An informer has failed before it had synced, and its WaitForSync does not know. Nobody waits for it for ever.
func TestAnInformerThatEndsBeforeSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		boom := errors.New("boom")
		p := start(t, manager.Config{
			Informers:   runners{syncing{part: part{name: "informer", diary: d, after: time.Second, fails: boom}, synced: make(chan struct{})}},
			Controllers: runners{part{name: "controller", diary: d}},
		})
		time.Sleep(time.Minute)
		d.inOrder(t, "informer ended", "controller starts")
		if err := p.ends(); !errors.Is(err, boom) {
			t.Errorf("Run: %v", err)
		}
	})
}

// Two informers have the same name, as two of one type have. Each has a line of its own, and none hides the other. That a number in a
// reason changes is not worth a line in the log.
func TestTheSameNameTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		began := time.Now()
		stale := func() error { return fmt.Errorf("stale for %v", time.Since(began)) }
		p := start(t, manager.Config{Informers: runners{
			part{name: "twin", diary: d, ready: stale}, part{name: "twin", diary: d},
		}})
		time.Sleep(5 * time.Minute)
		page := ask(p.Handler(), func(*http.Request) {}).Body.String()
		if !strings.Contains(page, "[-]informers/twin failed") || !strings.Contains(page, "[+]informers/twin#2 ok") {
			t.Errorf("page %q", page)
		}
		if got := p.log.count("Unhealthy"); got != 1 || p.log.has("Healthy again") {
			t.Errorf("logged %d times, want once", got)
		}
		_ = p.ends()
	})
}

// What a runner says of itself may panic. That is a reason not to be ready, and no more.
func TestAPanicInAQuestionIsIsolated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		p := start(t, manager.Config{
			Informers:   runners{panics{part{name: "informer", diary: d}}},
			Controllers: runners{part{name: "controller", diary: d, ready: func() error { panic("oops") }}},
		})
		time.Sleep(time.Minute)
		d.inOrder(t, "controller starts")
		err := p.Ready()
		if err == nil || !strings.Contains(err.Error(), "panicked: oops") || !strings.Contains(err.Error(), "informers/informer: panicked: sync") {
			t.Errorf("ready: %v", err)
		}
		_ = p.ends()
	})
}

type panics struct{ part }

func (panics) WaitForSync(context.Context) error { panic("sync") }

// A standby without rights to the Lease would never take over: it is not ready, so that a rolling update stops there.
func TestAStandbyThatCannotReadTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		p := start(t, manager.Config{
			Controllers: runners{part{name: "controller", diary: d}},
			Election:    elector(t, fake.NewClientset(), d, "one", func() bool { return true }),
		})
		time.Sleep(time.Minute)
		page := ask(p.Handler(), func(*http.Request) {}).Body.String()
		if err := p.Ready(); !errors.Is(err, errCut) || !strings.Contains(page, "[-]election failed: ") {
			t.Errorf("ready: %v, page %q", err, page)
		}
		if err := p.ends(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// The elector was run by somebody else. That is an error of the program, which ends, also what needs no lease.
func TestAnElectorThatWasUsedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		e := elector(t, fake.NewClientset(), d, "one")
		if err := e.Run(t.Context(), func(context.Context) error { return nil }); err != nil {
			t.Fatal(err)
		}
		p := start(t, manager.Config{Unelected: runners{part{name: "unelected", diary: d}}, Election: e})
		time.Sleep(time.Minute)
		d.inOrder(t, "unelected ended")
		if err := p.ends(); !errors.Is(err, lease.ErrStarted) {
			t.Errorf("Run: %v", err)
		}
	})
}

// A runner that fails while it is stopped has failed, also if it mentions that its context has ended.
func TestAFailureDuringTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		p := start(t, manager.Config{Controllers: runners{
			giving(func(ctx context.Context) error { return errors.Join(boom, ctx.Err()) }),
			giving(context.Cause),
		}})
		if err := p.ends(); !errors.Is(err, boom) || strings.Contains(err.Error(), "controllers/1") {
			t.Errorf("Run: %v, want the failure of the first", err)
		}
	})
}

// giving gives an error when it is stopped.
type giving func(ctx context.Context) error

func (g giving) Run(ctx context.Context) error {
	<-ctx.Done()
	return g(ctx)
}
