package manager

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"

	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/controller"
)

// A group is runners that are started and stopped together.
type group struct {
	lasting bool // no member may end before it is stopped
	members []*member
	failed  func(context.Context, error) // told of each that fails
	active  sync.WaitGroup

	mu     sync.Mutex
	cancel context.CancelFunc // nil before the start
}

func newGroup(name string, runners []controller.Runner, failed func(context.Context, error)) *group {
	g := &group{failed: failed}
	taken := make(map[string]int)
	for n, runner := range runners {
		full := name + "/" + nameOf(runner, n)
		taken[full]++
		if times := taken[full]; times > 1 { // two informers of one type, for instance
			full = fmt.Sprintf("%s#%d", full, times)
		}
		g.members = append(g.members, &member{name: full, runner: runner})
	}
	return g
}

func nameOf(runner controller.Runner, place int) string {
	if named, ok := runner.(interface{ Name() string }); ok {
		return named.Name()
	}
	return strconv.Itoa(place)
}

// start runs all members until the context is done or the group is stopped.
func (g *group) start(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	g.mu.Lock()
	g.cancel = cancel
	g.mu.Unlock()
	for _, m := range g.members {
		m.enter(running)
		g.active.Go(func() { g.run(ctx, m) })
	}
}

// run runs a member in a goroutine of its own, which it may panic in or end.
func (g *group) run(ctx context.Context, m *member) {
	ctx = klog.NewContext(ctx, klog.FromContext(ctx).WithValues("runner", m.name))
	err := errGoexit
	defer func() {
		if value := recover(); value != nil {
			err = &controller.PanicError{Value: value, Stack: debug.Stack()}
		}
		g.end(ctx, m, err)
	}()
	err = m.runner.Run(ctx)
}

// end notes how a member has ended. That its context has is no failure.
func (g *group) end(ctx context.Context, m *member, err error) {
	if err == nil && g.lasting && ctx.Err() == nil {
		err = errEarly
	}
	if err != nil && !isStop(ctx, err) {
		g.fail(ctx, m, err)
	} else {
		klog.FromContext(ctx).V(1).Info("Ended")
	}
	m.enter(ended)
}

// fail notes the first failure of a member.
func (g *group) fail(ctx context.Context, m *member, err error) {
	err = &failure{m.name, err}
	if !m.note(err) {
		return
	}
	logger := klog.FromContext(ctx)
	if panicked, ok := errors.AsType[*controller.PanicError](err); ok {
		logger = logger.WithValues("stack", string(panicked.Stack))
	}
	logger.Error(err, "Failed")
	g.failed(ctx, err)
}

// wait returns when all members have ended that were started.
func (g *group) wait() { g.active.Wait() }

func (g *group) stop() {
	g.mu.Lock()
	cancel := g.cancel
	g.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	g.wait()
}

// running returns the names of those that have not ended.
func (g *group) running() (names []string) {
	for _, m := range g.members {
		if state, _ := m.now(); state == running {
			names = append(names, m.name)
		}
	}
	return names
}

func (g *group) failures() error {
	var errs []error
	for _, m := range g.members {
		_, err := m.now()
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// A member is a runner and what became of it.
type member struct {
	name   string
	runner controller.Runner

	mu    sync.Mutex
	state state
	err   error
}

type state int

const (
	waiting state = iota
	running
	ended
)

func (m *member) enter(s state) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = s
}

// note keeps an error if it is the first.
func (m *member) note(err error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return false
	}
	m.err = err
	return true
}

func (m *member) now() (state, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state, m.err
}

func (m *member) hasEnded() bool {
	state, _ := m.now()
	return state == ended
}

// ready returns why a member is of no use, as far as it tells. One that was not started yet is no obstacle.
func (m *member) ready() error {
	state, err := m.now()
	r, ok := m.runner.(interface{ Ready() error })
	if err != nil || state != running || !ok {
		return err
	}
	return guard(r.Ready)
}

// guard calls a method of a runner, and returns its panic as an error.
func guard(method func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &controller.PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return method()
}
