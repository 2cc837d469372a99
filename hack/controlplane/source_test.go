package controlplane

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPinnedVersion(t *testing.T) {
	const mod = `module example.com/m

replace k8s.io/kubernetes => ../kubernetes

require (
	k8s.io/kubernetes v1.36.3 // indirect
	k8s.io/kubernetes-extra v9.9.9
)

require go.etcd.io/etcd/server/v3 v3.6.16
`
	for module, want := range map[string]string{
		"k8s.io/kubernetes":         "v1.36.3",
		"go.etcd.io/etcd/server/v3": "v3.6.16",
		"k8s.io/kube":               "",
	} {
		if got, err := pinned([]byte(mod), module); got != want || (err == nil) != (want != "") {
			t.Errorf("pinned(%q) = %q, %v; want %q", module, got, err, want)
		}
	}
}

func TestReleaseIsFoundInTheTree(t *testing.T) {
	r, err := findRelease()
	if err != nil {
		t.Fatal(err)
	}
	if r.kubernetes != "v1.36.3" || r.etcd != "v3.6.16" {
		t.Errorf("release = %+v", r)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if dirs := above(filepath.Join(wd, "cmd")); !slices.Contains(dirs, wd) {
		t.Errorf("looked in %q, want %s among them", dirs, wd)
	}
}

// The key of the binaries changes with what they are made of, not with where
// that is.
func TestKeyFollowsContent(t *testing.T) {
	one := copyOfServer(t, "")
	same := copyOfServer(t, "")
	other := copyOfServer(t, "// changed\n")
	if one.key() != same.key() {
		t.Errorf("keys of equal modules differ: %s, %s", one.key(), same.key())
	}
	if one.key() == other.key() {
		t.Errorf("keys of different modules are equal: %s", one.key())
	}
	if prefix := "kubernetes-v1.36.3_etcd-v3.6.16_go1."; !strings.HasPrefix(one.key(), prefix) {
		t.Errorf("key = %s, want %s…", one.key(), prefix)
	}
}

func copyOfServer(t *testing.T, suffix string) release {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		b, err := os.ReadFile(filepath.Join("server", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), append(b, suffix...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := readRelease(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
