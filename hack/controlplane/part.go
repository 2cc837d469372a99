package controlplane

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
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
	log    string
	wanted atomic.Bool // its end was asked for
	ended  chan struct{}
	err    error // how it ended; set before ended is closed
}

// startPart runs s with its output at the end of the file at log, and reports
// its end as a crash unless stop or kill was called before.
func startPart(s spec, dir, log string, life lifetime, c *crash) (*part, error) {
	p := &part{spec: s, log: log, ended: make(chan struct{})}
	started := make(chan error)
	go p.run(dir, life, started, c)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("controlplane: start %s: %w", s.name, err)
	}
	return p, nil
}

// run keeps its thread for as long as the process lives, because the death
// signal of the process is bound to the thread that started it.
func (p *part) run(dir string, life lifetime, started chan<- error, c *crash) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd, err := p.begin(dir, life)
	started <- err
	if err != nil {
		return
	}
	p.err = cmd.Wait()
	if !p.wanted.Load() {
		c.report(p.crash())
	}
	close(p.ended)
}

func (p *part) begin(dir string, life lifetime) (*exec.Cmd, error) {
	out, err := os.OpenFile(p.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
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

// stop ends the part in order and returns when nothing of it is left. See
// process.stop.
func (p *part) stop(ctx context.Context) error {
	p.wanted.Store(true)
	return p.wait(p.process.stop(ctx))
}

// kill ends the part at once and returns when nothing of it is left.
func (p *part) kill() error {
	p.wanted.Store(true)
	return p.wait(p.process.kill())
}

func (p *part) wait(err error) error {
	if err != nil {
		return fmt.Errorf("controlplane: stop %s: %w", p.name, err)
	}
	<-p.ended
	return nil
}

// running tells whether the end of the part has not been seen.
func (p *part) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// crash describes a part that has ended by itself.
func (p *part) crash() error {
	how := "exit status 0"
	if p.err != nil {
		how = p.err.Error()
	}
	return fmt.Errorf("controlplane: %s ended by itself: %s; the end of %s:\n%s", p.name, how, p.log, indent(tail(p.log, tailLines)))
}
