package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// readyTimeout bounds a start once the binaries are there. Three seconds are
// usual; a machine that is busy compiling may take many times that.
const readyTimeout = 3 * time.Minute

// launcher brings up one control plane.
type launcher struct {
	home  home
	opts  Options
	life  lifetime
	plan  plan
	state state
	parts *parts
}

// launch starts the parts in a home that holds nothing but old logs, each when
// the one before is healthy. An error leaves nothing running and nothing but
// logs. The launcher of parts that die with us holds their ports, so that a
// part can be started again.
func launch(ctx context.Context, h home, bin Binaries, o Options, life lifetime) (*launcher, error) {
	ctx, cancel := withReadyTimeout(ctx)
	defer cancel()
	l := &launcher{
		home: h, opts: o, life: life,
		plan:  plan{home: h, bin: bin, audit: o.AuditLog, gates: o.FeatureGates, apiserverArgs: o.APIServerArgs},
		state: newState(bin, o),
		parts: newParts(),
	}
	if err := l.run(ctx); err != nil {
		l.opts.logf("the control plane did not start; stopping what runs of it")
		return nil, errors.Join(err, l.stop(context.WithoutCancel(ctx)))
	}
	if life == outlivesUs {
		return l, l.plan.ports.release()
	}
	return l, nil
}

// stop ends the parts and removes all but their logs.
func (l *launcher) stop(ctx context.Context) error {
	return errors.Join(l.parts.stop(ctx), l.plan.ports.release(), l.home.clear(ctx))
}

func withReadyTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("not ready after %v", readyTimeout))
}

func (l *launcher) run(ctx context.Context) (err error) {
	began := time.Now()
	if l.plan.ports, err = reservePorts(); err != nil {
		return err
	}
	if err := l.writeFiles(); err != nil {
		return err
	}
	for _, s := range l.plan.specs() {
		if err := os.RemoveAll(l.home.log(s.name)); err != nil {
			return err
		}
		if err := l.start(ctx, s); err != nil {
			return err
		}
	}
	if err := l.awaitDefaults(ctx); err != nil {
		return err
	}
	l.opts.logf("ready after %.1fs", time.Since(began).Seconds())
	l.state.Ready = true
	return l.home.writeState(l.state)
}

func (l *launcher) writeFiles() error {
	if err := l.home.writePKI(loopbackURL(l.plan.ports.apiserver)); err != nil {
		return err
	}
	return writeFile(l.home.auditPolicy(), []byte(auditPolicy))
}

// start starts one part, records it and waits until it is healthy.
func (l *launcher) start(ctx context.Context, s spec) error {
	l.opts.logf("starting %s at %s", s.name, loopbackURL(s.port))
	p, err := startPart(s, l.home.dir, l.home.log(s.name), l.life, l.parts.crash)
	if err != nil {
		return err
	}
	l.parts.put(p)
	l.state.Parts = l.parts.state()
	if err := l.home.writeState(l.state); err != nil {
		return err
	}
	return l.awaitHealth(ctx, s)
}

func (l *launcher) awaitHealth(ctx context.Context, s spec) error {
	return l.await(ctx, s.name+" to be healthy", func(ctx context.Context) error {
		return prober{l.home}.health(ctx, s.name, s.port)
	})
}

// awaitDefaults waits for what the parts make by themselves and what nearly
// every test relies on.
func (l *launcher) awaitDefaults(ctx context.Context) error {
	for _, path := range []string{"/api/v1/namespaces/default", "/api/v1/namespaces/default/serviceaccounts/default"} {
		err := l.await(ctx, path, func(ctx context.Context) error {
			return prober{l.home}.exists(ctx, l.plan.ports.apiserver, path)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// await asks until the answer is good, a part dies or the context ends.
func (l *launcher) await(ctx context.Context, what string, ask func(context.Context) error) error {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	last := errors.New("none")
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-l.parts.crash.seen:
			return l.parts.crash.err
		case <-ctx.Done():
			return fmt.Errorf("controlplane: wait for %s: %w (last answer: %w)", what, context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}
