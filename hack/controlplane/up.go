package controlplane

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// Up starts a control plane in o.Dir that outlives this program, and returns
// the path of its kubeconfig when it is ready. If it runs there already with
// the same options, Up only returns the path; if parts of it have died, Up
// stops the rest and starts a new one without its data. An error leaves
// nothing running that Up has started.
//
// Up is for commands that end soon after. In a program that lives on, one
// goroutine per part waits for the part to end.
func Up(ctx context.Context, o Options) (string, error) {
	if o.Dir == "" {
		return "", errors.New("controlplane: no directory; name one for the control plane")
	}
	o, err := o.withDefaults()
	if err != nil {
		return "", err
	}
	h, err := openHome(o.Dir)
	if err != nil {
		return "", err
	}
	lock, err := tryLock(h.lockFile())
	if err != nil {
		return "", err
	}
	defer lock.release()
	s, err := h.readState()
	if err != nil {
		return "", err
	}
	if s.running() {
		return h.kubeconfig(), h.confirm(ctx, s, o)
	}
	return h.kubeconfig(), h.renew(ctx, o)
}

// confirm checks that the control plane that runs is the one asked for.
func (h home) confirm(ctx context.Context, s state, o Options) error {
	if !s.sameOptions(o) {
		return fmt.Errorf("controlplane: the one in %q runs with other options; end it with: controlplane down --dir %s", h.dir, h.dir)
	}
	for _, p := range s.Parts {
		if err := (prober{h}).health(ctx, p.Name, p.Port); err != nil {
			return fmt.Errorf("controlplane: %s in %q runs but is not healthy: %w; end it with: controlplane down --dir %s", p.Name, h.dir, err, h.dir)
		}
	}
	o.logf("the control plane in %s runs already", h.dir)
	return nil
}

// renew starts a control plane where none runs, or only part of one.
func (h home) renew(ctx context.Context, o Options) error {
	bin, err := Build(ctx, o)
	if err != nil {
		return err
	}
	if err := h.clear(ctx); err != nil {
		return err
	}
	_, err = launch(ctx, h, bin, o, outlivesUs)
	return err
}

// Down ends the control plane that Up made in dir and returns when nothing of
// it runs. Each part gets 10 seconds before it is killed, and none once the
// context has ended. Logs stay. It is no error if there is none, but it is if
// the control plane belongs to a program that runs.
func Down(ctx context.Context, dir string) error {
	h, err := findHome(dir)
	if err != nil || !exists(h.lockFile()) {
		return err
	}
	lock, err := tryLock(h.lockFile())
	if err != nil {
		return err
	}
	defer lock.release()
	return h.clear(ctx)
}

// PartStatus tells how one part of a control plane is.
type PartStatus struct {
	Name string
	PID  int // 0 if it was not started
	Port int // on 127.0.0.1

	// Err is nil if the part is healthy.
	Err error

	// Log is the file that holds the part's output.
	Log string
}

// What Status says of parts without a process.
var (
	errDead       = errors.New("dead")
	errNotStarted = errors.New("not started")
)

// LogEnd returns the last lines of the part's output, none if it was not
// started: then the log is of an earlier one.
func (p PartStatus) LogEnd() []string {
	if p.PID == 0 {
		return nil
	}
	return tail(p.Log, tailLines)
}

// Status asks every part of the control plane in dir for its health. It
// returns none if there is no control plane.
func Status(ctx context.Context, dir string) ([]PartStatus, error) {
	h, err := findHome(dir)
	if err != nil {
		return nil, err
	}
	s, err := h.readState()
	if err != nil || len(s.Parts) == 0 {
		return nil, err
	}
	var all []PartStatus
	for i, name := range []string{etcd, apiserver, controllerManager} {
		status := PartStatus{Name: name, Err: errNotStarted, Log: h.log(name)}
		if i < len(s.Parts) {
			p := s.Parts[i]
			status.PID, status.Port, status.Err = p.PID, p.Port, h.health(ctx, p)
		}
		all = append(all, status)
	}
	return all, nil
}

func (h home) health(ctx context.Context, p partState) error {
	err := prober{h}.health(ctx, p.Name, p.Port)
	if !p.alive() { // asked last: it may die while it is asked
		return errDead
	}
	return err
}

// findHome is the home in dir, which need not exist.
func findHome(dir string) (home, error) {
	abs, err := filepath.Abs(dir)
	return home{dir: abs}, err
}
