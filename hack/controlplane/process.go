package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

const (
	// stopGrace is what a part has between SIGTERM and SIGKILL.
	stopGrace = 10 * time.Second
	// killGrace is what the kernel has to take a killed process away.
	killGrace = 10 * time.Second
)

// process names one process, even after its id went to another one.
type process struct {
	PID     int    `json:"pid"`
	Started string `json:"started"` // as told by startOf
}

// alive tells whether the process runs. A zombie does not.
func (p process) alive() bool {
	started, err := startOf(p.PID)
	return err == nil && started == p.Started
}

// stop ends the process: SIGTERM, and SIGKILL when its grace or the context is
// over. It returns when the process is gone.
func (p process) stop(ctx context.Context) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	if p.gone(ctx, stopGrace) {
		return nil
	}
	return p.kill()
}

// kill ends the process by SIGKILL and returns when it is gone.
func (p process) kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	if !p.gone(context.Background(), killGrace) {
		return fmt.Errorf("process %d survives SIGKILL", p.PID)
	}
	return nil
}

// signal does nothing if the process is gone. The handle is taken before the
// identity is checked, so on Linux the signal cannot reach a successor.
func (p process) signal(sig syscall.Signal) error {
	handle, err := os.FindProcess(p.PID)
	if err != nil {
		return err
	}
	defer func() { _ = handle.Release() }()
	if !p.alive() {
		return nil
	}
	if err := handle.Signal(sig); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// gone waits for the end of the process and tells whether it came in time.
func (p process) gone(ctx context.Context, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for p.alive() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return !p.alive()
		}
	}
	return true
}
