package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// lifetime says how long the parts live.
type lifetime syscall.Signal

const (
	outlivesUs = lifetime(0)
	diesWithUs = lifetime(syscall.SIGKILL)
)

// part is a process that we started.
type part struct {
	spec
	process
	log   string
	ended chan struct{}
	err   error // how it ended; set before anybody is told
}

// startPart runs s with its output in the file at log, and tells died when it
// has ended, for whatever reason.
func startPart(s spec, dir, log string, life lifetime, died chan<- *part) (*part, error) {
	p := &part{spec: s, log: log, ended: make(chan struct{})}
	started := make(chan error)
	go p.run(dir, life, started, died)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("controlplane: start %s: %w", s.name, err)
	}
	return p, nil
}

// run keeps its thread for as long as the process lives, because the death
// signal of the process is bound to the thread that started it.
func (p *part) run(dir string, life lifetime, started chan<- error, died chan<- *part) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd, err := p.begin(dir, life)
	started <- err
	if err != nil {
		return
	}
	p.err = cmd.Wait()
	died <- p
	close(p.ended)
}

func (p *part) begin(dir string, life lifetime) (*exec.Cmd, error) {
	out, err := os.OpenFile(p.log, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.CommandContext(context.Background(), p.path, p.args...) // until it is stopped
	cmd.Dir, cmd.Env = dir, environment()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = attributes(syscall.Signal(life))
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p.PID = cmd.Process.Pid
	p.Started, _ = startOf(p.PID) // empty if it has ended already
	return cmd, nil
}

// environment is ours without what would configure a part behind our back.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "ETCD_") || strings.HasPrefix(kv, "KUBE_")
	})
}

// crash describes a part that has ended by itself.
func (p *part) crash() error {
	how := "exit status 0"
	if p.err != nil {
		how = p.err.Error()
	}
	return fmt.Errorf("controlplane: %s ended by itself: %s; the end of %s:\n%s", p.name, how, p.log, indent(tail(p.log, tailLines)))
}

// parts are the processes of one control plane, in the order of their start.
type parts struct {
	list []*part
	died chan *part // takes every part once, never blocks
}

// stop ends the parts, last started first, and waits until they are gone.
func (ps *parts) stop(ctx context.Context) error {
	var errs []error
	for _, p := range slices.Backward(ps.list) {
		if err := p.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("controlplane: stop %s: %w", p.name, err))
			continue
		}
		<-p.ended
	}
	return errors.Join(errs...)
}
