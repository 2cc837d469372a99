package controlplane

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCrashIsReportedWithEndOfLog(t *testing.T) {
	p, c := run(t, "echo starting; echo cannot go on >&2; exit 3")
	<-c.seen
	for _, want := range []string{"script ended by itself", "exit status 3", p.log, "cannot go on"} {
		if !strings.Contains(c.err.Error(), want) {
			t.Errorf("error %q does not contain %q", c.err, want)
		}
	}
}

func TestEndOnPurposeIsNoCrash(t *testing.T) {
	for name, end := range map[string]func(*part) error{
		"stop": func(p *part) error { return p.stop(t.Context()) },
		"kill": (*part).kill,
	} {
		p, c := run(t, "exec sleep 1000")
		if err := end(p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p.running() || p.alive() {
			t.Errorf("%s: the part lives", name)
		}
		select {
		case <-c.seen:
			t.Errorf("%s is reported as a crash: %v", name, c.err)
		default:
		}
	}
}

func TestFirstCrashIsKept(t *testing.T) {
	c := newParts().crash
	c.report(os.ErrClosed)
	c.report(os.ErrInvalid)
	<-c.seen
	if c.err != os.ErrClosed { //nolint:errorlint // the very error
		t.Errorf("error = %v, want the first", c.err)
	}
}

func TestPartsDoNotSeeConfigurationOfOthers(t *testing.T) {
	t.Setenv("ETCD_NAME", "foreign")
	t.Setenv("KUBE_FEATURE_X", "true")
	p, c := run(t, "env")
	<-c.seen
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
	order := filepath.Join(t.TempDir(), "order")
	ps := newParts()
	for _, name := range []string{"first", "second"} {
		p, _ := run(t, `trap "echo `+name+` >>`+order+`; exit" TERM; echo ready; while :; do sleep 0.01; done`)
		p.name = name
		ps.put(p)
		for tail(p.log, 1)[0] == "" { // until the trap is set
			if !p.running() {
				t.Fatal("the script has ended")
			}
		}
	}
	if err := ps.stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(order); string(got) != "second\nfirst\n" {
		t.Errorf("stopped in the order %q, %v", got, err)
	}
}

func TestPartTakesThePlaceOfItsPredecessor(t *testing.T) {
	ps := newParts()
	for _, name := range []string{etcd, apiserver, etcd} {
		ps.put(&part{spec: spec{name: name}})
	}
	last := &part{spec: spec{name: etcd}}
	ps.put(last)
	if len(ps.list) != 2 || ps.list[0] != last || ps.list[1].name != apiserver {
		t.Errorf("parts = %v", ps.list)
	}
	if _, err := ps.find("scheduler"); err == nil || !strings.Contains(err.Error(), `"scheduler"`) {
		t.Errorf("error = %v, want one that names the part", err)
	}
}

func run(t *testing.T, text string) (*part, *crash) {
	t.Helper()
	c := newParts().crash
	p, err := startPart(script(text), t.TempDir(), filepath.Join(t.TempDir(), "log"), diesWithUs, c)
	if err != nil {
		t.Fatal(err)
	}
	return p, c
}

func script(text string) spec {
	return spec{name: "script", path: "/bin/sh", args: []string{"-c", text}}
}
