package controlplane

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBuildCompilesNothingTwice(t *testing.T) {
	r, err := findRelease()
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	want := Binaries{Dir: filepath.Join(cache, "controlplane", r.key()), Kubernetes: r.kubernetes, Etcd: r.etcd}
	if err := os.MkdirAll(want.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{etcd, apiserver, controllerManager} {
		if err := writeFile(want.path(name), nil); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	t.Setenv("SLUICE_CACHE_DIR", cache)
	t.Setenv("PATH", "") // there is no go command
	if got, err := Build(t.Context(), Options{Log: &log}); err != nil || got != want {
		t.Errorf("Build = %+v, %v; want %+v", got, err, want)
	}
	if log.Len() > 0 {
		t.Errorf("it said: %s", &log)
	}
}

func TestFailedBuildTellsWhyAndLeavesNothing(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "-mod=vendor") // must not matter
	r := unbuildable(t)
	bin := Binaries{Dir: filepath.Join(t.TempDir(), "bin")}
	var log bytes.Buffer
	err := Options{Log: &log}.fill(t.Context(), bin, r)
	if err == nil || !strings.Contains(err.Error(), "go list") || !strings.Contains(err.Error(), "k8s.io/kubernetes") {
		t.Errorf("error = %v, want the end of go's output", err)
	}
	if err != nil && strings.Contains(err.Error(), "vendor") {
		t.Errorf("error = %v; GOFLAGS of the environment got through", err)
	}
	if got := names(t, filepath.Dir(bin.Dir)); got != "bin.lock" {
		t.Errorf("left %s", got)
	}
	if !strings.Contains(log.String(), "compiling kube-apiserver") || !strings.Contains(log.String(), "minutes") {
		t.Errorf("it said: %s", &log)
	}
}

func TestBuildEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	bin := Binaries{Dir: filepath.Join(t.TempDir(), "bin")}
	err := Options{Log: &bytes.Buffer{}}.fill(ctx, bin, unbuildable(t))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want %v", err, context.Canceled)
	}
}

func TestVersionIsStamped(t *testing.T) {
	flags := release{kubernetes: "v1.36.3"}.ldflags()
	for _, want := range []string{"k8s.io/component-base/version.gitVersion=v1.36.3", ".gitMajor=1 ", ".gitMinor=36 ", "k8s.io/client-go/pkg/version.gitVersion=v1.36.3"} {
		if !strings.Contains(flags, want) {
			t.Errorf("flags %q do not contain %q", flags, want)
		}
	}
}

// unbuildable is a module without the packages of the parts.
func unbuildable(t *testing.T) release {
	t.Helper()
	dir := t.TempDir()
	if err := writeFile(filepath.Join(dir, "go.mod"), []byte("module example.com/m\n\ngo 1.26.0\n")); err != nil {
		t.Fatal(err)
	}
	return release{dir: dir, kubernetes: "v1.36.3", etcd: "v3.6.16"}
}
