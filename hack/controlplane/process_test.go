package controlplane

import (
	"bufio"
	"context"
	"os/exec"
	"testing"
	"time"
)

func TestStopTerminates(t *testing.T) {
	p := child(t, "echo ready; exec sleep 1000")
	if !p.alive() {
		t.Fatal("not alive")
	}
	if err := p.stop(t.Context()); err != nil {
		t.Error(err)
	}
	if p.alive() {
		t.Error("alive after stop")
	}
	if err := p.stop(t.Context()); err != nil {
		t.Errorf("second stop: %v", err)
	}
}

func TestStopKillsWhenItsContextIsOver(t *testing.T) {
	p := child(t, `trap "" TERM; echo ready; while :; do sleep 1000; done`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.stop(ctx); err != nil {
		t.Error(err)
	}
	if p.alive() {
		t.Error("alive after stop")
	}
}

func TestStopSparesSuccessor(t *testing.T) {
	p := child(t, "echo ready; exec sleep 1000")
	predecessor := process{PID: p.PID, Started: "an earlier time"}
	if err := predecessor.stop(t.Context()); err != nil {
		t.Error(err)
	}
	if p.gone(t.Context(), 200*time.Millisecond) {
		t.Error("a process was stopped that took over the id of another")
	}
}

// child runs a script until it has printed its first line.
func child(t *testing.T, script string) process {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.SysProcAttr = attributes(0)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	p := process{PID: cmd.Process.Pid}
	if p.Started, err = startOf(p.PID); err != nil {
		t.Fatal(err)
	}
	return p
}
