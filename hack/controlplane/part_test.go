package controlplane

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestCrashIsReportedWithEndOfLog(t *testing.T) {
	p, died := run(t, "echo starting; echo cannot go on >&2; exit 3")
	if got := <-died; got != p {
		t.Fatalf("%v died, want %v", got, p)
	}
	err := p.crash().Error()
	for _, want := range []string{"script ended by itself", "exit status 3", p.log, "cannot go on"} {
		if !strings.Contains(err, want) {
			t.Errorf("error %q does not contain %q", err, want)
		}
	}
}

func TestPartsDoNotSeeConfigurationOfOthers(t *testing.T) {
	t.Setenv("ETCD_NAME", "foreign")
	t.Setenv("KUBE_FEATURE_X", "true")
	p, died := run(t, "env")
	<-died
	if log := strings.Join(tail(p.log, 1000), "\n"); strings.Contains(log, "ETCD_NAME") || strings.Contains(log, "KUBE_FEATURE") {
		t.Errorf("environment:\n%s", log)
	}
}

func TestStartNamesWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	_, err := startPart(spec{name: "script", path: missing}, dir, filepath.Join(dir, "log"), diesWithUs, nil)
	if err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("error = %v, want one that names %s", err, missing)
	}
}

func TestPartsStopLastFirst(t *testing.T) {
	died := make(chan *part, 2)
	ps := &parts{died: died}
	for range 2 {
		p, err := startPart(script("exec sleep 1000"), t.TempDir(), filepath.Join(t.TempDir(), "log"), diesWithUs, died)
		if err != nil {
			t.Fatal(err)
		}
		ps.list = append(ps.list, p)
	}
	if err := ps.stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if first, second := <-died, <-died; first != ps.list[1] || second != ps.list[0] {
		t.Error("the first part was stopped first")
	}
}

func run(t *testing.T, text string) (*part, <-chan *part) {
	t.Helper()
	died := make(chan *part, 1)
	p, err := startPart(script(text), t.TempDir(), filepath.Join(t.TempDir(), "log"), diesWithUs, died)
	if err != nil {
		t.Fatal(err)
	}
	return p, died
}

func script(text string) spec {
	return spec{name: "script", path: "/bin/sh", args: []string{"-c", text}}
}
