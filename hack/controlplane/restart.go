package controlplane

import (
	"context"
	"errors"
	"fmt"
)

// Part names one of the processes that are a control plane.
type Part string

// The parts.
const (
	Etcd              Part = etcd
	APIServer         Part = apiserver
	ControllerManager Part = controllerManager
)

var errStopped = errors.New("controlplane: stopped")

// KillPart ends a part by SIGKILL and returns when it is gone. It is no error
// if the part was ended before. The other parts run on.
func (c *ControlPlane) KillPart(_ context.Context, name Part) error {
	return c.change(func(l *launcher) error {
		p, err := l.parts.find(name)
		if err != nil {
			return err
		}
		return p.kill()
	})
}

// StopPart ends a part in order and returns when it is gone: SIGTERM, and
// SIGKILL after 10 seconds or when the context has ended. The API server ends
// its open watches at once. It is no error if the part was ended before. The
// other parts run on.
func (c *ControlPlane) StopPart(ctx context.Context, name Part) error {
	return c.change(func(l *launcher) error { return l.stopPart(ctx, name) })
}

// StartPart starts a part that KillPart or StopPart has ended, at the same port
// and with the same data, and returns when it is healthy. The API server may
// take some seconds longer to find an etcd that was gone. On an error the part
// does not run.
func (c *ControlPlane) StartPart(ctx context.Context, name Part) error {
	return c.change(func(l *launcher) error { return l.startPart(ctx, name) })
}

// change runs do unless the control plane has crashed or was stopped.
func (c *ControlPlane) change(do func(*launcher) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.launcher.parts.crash.seen:
		return c.launcher.parts.crash.err
	case <-c.halt:
		return errStopped
	default:
		return do(c.launcher)
	}
}

func (l *launcher) stopPart(ctx context.Context, name Part) error {
	p, err := l.parts.find(name)
	if err != nil {
		return err
	}
	return p.stop(ctx)
}

func (l *launcher) startPart(ctx context.Context, name Part) error {
	p, err := l.parts.find(name)
	if err != nil {
		return err
	}
	if p.running() {
		return fmt.Errorf("controlplane: %s runs already", name)
	}
	ctx, cancel := withReadyTimeout(ctx)
	defer cancel()
	if err := l.start(ctx, p.spec); err != nil {
		return errors.Join(err, l.stopPart(context.WithoutCancel(ctx), name))
	}
	return nil
}

func (ps *parts) find(name Part) (*part, error) {
	if i := ps.index(string(name)); i >= 0 {
		return ps.list[i], nil
	}
	return nil, fmt.Errorf("controlplane: no part %q", name)
}
