package controlplane

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestStateSurvivesWriting(t *testing.T) {
	h := home{dir: t.TempDir()}
	if s, err := h.readState(); err != nil || !reflect.DeepEqual(s, state{}) {
		t.Errorf("before the first write: %+v, %v; want the zero state", s, err)
	}
	want := state{
		Kubernetes: "v1.36.3", Etcd: "v3.6.16", AuditLog: "/audit", Ready: true,
		FeatureGates: map[string]bool{"A": true},
		Parts:        []partState{{Name: etcd, Port: 2379, process: process{PID: 7, Started: "boot/9"}}},
	}
	if err := h.writeState(want); err != nil {
		t.Fatal(err)
	}
	if got, err := h.readState(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, %v; want %+v", got, err, want)
	}
	if info, err := os.Stat(h.stateFile()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v; want it private", info.Mode(), err)
	}
}

func TestBrokenStateIsNamed(t *testing.T) {
	h := home{dir: t.TempDir()}
	if err := os.WriteFile(h.stateFile(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.readState(); err == nil || !strings.Contains(err.Error(), h.stateFile()) {
		t.Errorf("error = %v, want one that names %s", err, h.stateFile())
	}
}

func TestStateIsOfRunningControlPlane(t *testing.T) {
	us := process{PID: os.Getpid()}
	us.Started, _ = startOf(us.PID)
	predecessor := process{PID: us.PID, Started: "another boot/1"}
	for name, test := range map[string]struct {
		state state
		want  bool
	}{
		"zero":                    {state{}, false},
		"alive":                   {state{Ready: true, Parts: []partState{{process: us}}}, true},
		"start was not completed": {state{Parts: []partState{{process: us}}}, false},
		"process id was reused":   {state{Ready: true, Parts: []partState{{process: us}, {process: predecessor}}}, false},
	} {
		if got := test.state.running(); got != test.want {
			t.Errorf("%s: running = %t, want %t", name, got, test.want)
		}
	}
}

func TestOtherOptionsAreNoticed(t *testing.T) {
	o := Options{FeatureGates: map[string]bool{"A": true}, AuditLog: "/log", APIServerArgs: []string{"--a"}}
	s := newState(Binaries{}, o)
	if !s.sameOptions(o) {
		t.Error("the same options are taken for others")
	}
	for name, change := range map[string]func(*Options){
		"FeatureGates":  func(o *Options) { o.FeatureGates = nil },
		"AuditLog":      func(o *Options) { o.AuditLog = "" },
		"APIServerArgs": func(o *Options) { o.APIServerArgs = []string{"--b"} },
	} {
		other := o
		change(&other)
		if s.sameOptions(other) {
			t.Errorf("other %s are not noticed", name)
		}
	}
}
