package manager

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"
)

// A Manager runs a program: its informers, controllers, election and health pages. Create one with [New]; its methods may be
// called concurrently.
type Manager struct {
	config  Config
	started atomic.Bool
	synced  atomic.Bool
	overdue atomic.Bool

	electing atomic.Bool

	informers, controllers, unelected, recorders *group

	live   context.Context // of the life: done when everything is to stop
	stop   context.CancelCauseFunc
	health health
	server server
}

// New returns a Manager, or an error that names the field of the config that is wrong. It does nothing until [Manager.Run].
func New(config Config) (*Manager, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	m := &Manager{config: config}
	m.live, m.stop = context.WithCancelCause(context.Background())
	m.informers = newGroup("informers", config.Informers, m.failed)
	m.controllers = newGroup("controllers", config.Controllers, m.failed)
	m.unelected = newGroup("unelected", config.Unelected, m.failed)
	m.recorders = newGroup("recorders", config.Recorders, m.failed)
	m.informers.lasting, m.recorders.lasting = true, true
	return m, nil
}

// Run runs the program until the context is done, the lease is lost, all controllers have ended by themselves or, with
// [Config.StopOnFailure], a runner has failed. Then it stops everything in the order that the package documentation shows.
//
// It returns nil after a stop without failures, and else the errors of all runners that failed, joined; with that of the election
// if the lease was lost, which wraps [lease.ErrLost]. Nothing of it runs any more then, but for one case: if the error is
// [ErrGracePeriod] the runners that it names still run, and the program must end. A second call returns [ErrStarted].
func (m *Manager) Run(ctx context.Context) error {
	if m.started.Swap(true) {
		return fmt.Errorf("manager %q: %w", m.config.Name, ErrStarted)
	}
	ctx = klog.NewContext(ctx, m.config.logger(ctx))
	if err := m.server.open(ctx, m.config.HealthAddress, m.Handler()); err != nil {
		return fmt.Errorf("manager %q: serve health: %w", m.config.Name, err)
	}
	defer m.server.close()
	unlink := context.AfterFunc(ctx, func() { m.end(ctx, context.Cause(ctx)) })
	defer unlink()

	ended := make(chan error, 1)
	go func() { ended <- m.life(context.WithoutCancel(ctx)) }()
	return m.await(ctx, ended)
}

// end begins the stop.
func (m *Manager) end(ctx context.Context, cause error) {
	if m.live.Err() == nil {
		klog.FromContext(ctx).Info("Stopping", "cause", cause)
	}
	m.stop(cause)
}

// await returns the error of the life, or that it does not end.
func (m *Manager) await(ctx context.Context, ended <-chan error) error {
	var over <-chan time.Time
	report := m.config.Clock.NewTimer(reportInterval)
	defer report.Stop()
	stopping := m.live.Done()
	for {
		select {
		case err := <-ended:
			return err
		case <-report.C():
			m.assess(klog.FromContext(ctx))
			report.Reset(reportInterval)
		case <-stopping:
			stopping = nil
			if m.config.GracePeriod >= 0 {
				over = m.config.Clock.After(m.config.GracePeriod)
			}
		case <-over:
			return m.giveUp(ctx)
		}
	}
}

func (m *Manager) giveUp(ctx context.Context) error {
	m.overdue.Store(true)
	m.assess(klog.FromContext(ctx))
	left := strings.Join(m.running(), ", ")
	klog.FromContext(ctx).Error(ErrGracePeriod, "Not everything has ended", "runners", left, "gracePeriod", m.config.GracePeriod)
	return fmt.Errorf("manager %q: %w: still running: %s", m.config.Name, ErrGracePeriod, left)
}

func (m *Manager) groups() []*group {
	return []*group{m.informers, m.recorders, m.unelected, m.controllers}
}

func (m *Manager) running() []string {
	var names []string
	for _, g := range m.groups() {
		names = append(names, g.running()...)
	}
	if len(names) == 0 {
		names = append(names, "election")
	}
	return names
}

// failed is told of each runner that fails.
func (m *Manager) failed(ctx context.Context, err error) {
	if m.config.StopOnFailure {
		m.end(ctx, err)
	}
}

// life starts everything in order, waits until it is to end, and stops it in order.
func (m *Manager) life(ctx context.Context) error {
	m.informers.start(ctx)
	m.recorders.start(ctx)
	var err error
	m.waitForSync(ctx)
	if m.live.Err() == nil {
		err = m.work(ctx)
	}
	m.drain()
	m.informers.stop()
	klog.FromContext(ctx).Info("Stopped")
	return errors.Join(err, m.informers.failures(), m.recorders.failures(), m.unelected.failures(), m.controllers.failures())
}

// work runs the controllers.
func (m *Manager) work(ctx context.Context) error {
	live, cancel := m.living(ctx)
	defer cancel()
	m.unelected.start(live)
	if m.config.Election == nil {
		return m.lead(live)
	}
	m.electing.Store(true)
	err := m.config.Election.Run(live, m.lead)
	if err != nil {
		m.end(ctx, err)
	}
	return err
}

// living returns a context with the values of ctx that ends with the life.
func (m *Manager) living(ctx context.Context) (context.Context, func()) {
	live, cancel := context.WithCancelCause(ctx)
	unlink := context.AfterFunc(m.live, func() { cancel(context.Cause(m.live)) })
	return live, func() {
		unlink()
		cancel(nil)
	}
}

// lead runs the controllers as long as the context lasts, and returns when they have ended and their events are sent. Their
// contexts end together, so that grace periods do not add up.
func (m *Manager) lead(ctx context.Context) error {
	unlink := context.AfterFunc(ctx, func() { m.end(ctx, context.Cause(ctx)) }) // without the lease all of it ends
	defer unlink()
	m.controllers.start(ctx)
	if len(m.config.Controllers)+len(m.config.Unelected) == 0 {
		<-ctx.Done()
	}
	m.drain()
	m.end(ctx, errIdle)
	return nil
}

// drain waits until all controllers have ended, and then has the recorders send what they have.
func (m *Manager) drain() {
	m.controllers.wait()
	m.unelected.wait()
	m.recorders.stop()
}
