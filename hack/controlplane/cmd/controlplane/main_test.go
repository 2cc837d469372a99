package main

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/hack/controlplane"
)

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args           string
		status         int
		stdout, stderr string // parts of it
	}{
		{"", 2, "", "Usage: controlplane COMMAND"},
		{"--help", 0, "Usage: controlplane COMMAND", ""},
		{"up --help", 0, "--feature-gates GATES", ""},
		{"build --help", 0, "Usage: controlplane build\n", ""},
		{"start", 2, "", `unknown command "start"`},
		{"up", 2, "", "--dir is required"},
		{"down extra", 2, "", `unexpected argument "extra"`},
		{"up --dir x --feature-gates A", 2, "", `feature gate "A": want NAME=true or NAME=false`},
		{"status --directory x", 2, "", "not defined: -directory"},
		{"status --dir testdata/none", 1, "", "no control plane runs"},
		{"down --dir testdata/none", 0, "", ""},
	} {
		stdout, stderr, status := execute(t, strings.Fields(test.args)...)
		if status != test.status || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
			t.Errorf("controlplane %s: status %d, stdout %q, stderr %q; want %+v", test.args, status, stdout, stderr, test)
		}
	}
}

// The life of a control plane, as its user sees it.
func TestUpStatusDown(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cp")
	t.Cleanup(func() { _ = controlplane.Down(context.Background(), dir) })

	first := up(t, dir)
	if again := up(t, dir); !maps.Equal(again, first) {
		t.Errorf("up again: %v, want %v", again, first)
	}
	if _, stderr, status := execute(t, "up", "--dir", dir, "--feature-gates=AllAlpha=false"); status != 1 || !strings.Contains(stderr, "other options") {
		t.Errorf("up with other options: status %d, stderr %s", status, stderr)
	}
	stdout, _, status := execute(t, "status", "--dir", dir)
	if status != 0 || strings.Count(stdout, "healthy\n") != 3 {
		t.Errorf("status %d:\n%s", status, stdout)
	}

	if err := syscall.Kill(first["etcd"], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if !gone(first["etcd"]) {
		t.Fatal("etcd lives after SIGKILL")
	}
	stdout, _, status = execute(t, "status", "--dir", dir)
	if status != 1 || !strings.Contains(stdout, "dead\n  the end of "+filepath.Join(dir, "etcd.log")) {
		t.Errorf("status %d after etcd was killed:\n%s", status, stdout)
	}
	second := up(t, dir)
	for part, pid := range second {
		if pid == first[part] || !gone(first[part]) {
			t.Errorf("%s: process %d was replaced by %d, and may live", part, first[part], pid)
		}
	}

	for range 2 {
		if _, stderr, status := execute(t, "down", "--dir", dir); status != 0 {
			t.Errorf("down: status %d, stderr %s", status, stderr)
		}
	}
	for part, pid := range second {
		if !gone(pid) {
			t.Errorf("%s lives", part)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "admin.kubeconfig")); err == nil {
		t.Error("the kubeconfig is there")
	}
}

// up returns the processes of the parts.
func up(t *testing.T, dir string) map[string]int {
	t.Helper()
	stdout, stderr, status := execute(t, "up", "--dir", dir)
	if want := filepath.Join(dir, "admin.kubeconfig") + "\n"; status != 0 || stdout != want {
		t.Fatalf("up: status %d, stdout %q, stderr:\n%s", status, stdout, stderr)
	}
	b, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Parts []struct {
			Name string
			PID  int
		}
	}
	if err := json.Unmarshal(b, &state); err != nil {
		t.Fatal(err)
	}
	pids := map[string]int{}
	for _, p := range state.Parts {
		pids[p.Name] = p.PID
	}
	return pids
}

func execute(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errOut bytes.Buffer
	status = run(t.Context(), args, &out, &errOut)
	return out.String(), errOut.String(), status
}

// gone tells whether the process has ended. The parts are children of this
// test binary, which reaps them in its own time.
func gone(pid int) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	bound := time.After(time.Minute)
	for syscall.Kill(pid, 0) == nil {
		select {
		case <-tick.C:
		case <-bound:
			return false
		}
	}
	return true
}
