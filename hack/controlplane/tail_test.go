package controlplane

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	long := strings.Repeat("x", 2*lineBytes)
	if err := os.WriteFile(path, []byte(strings.Repeat("noise\n", tailBytes)+"first\n"+long+"\nlast\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := tail(path, 3)
	if len(got) != 3 || got[0] != "first" || got[1] != long[:lineBytes]+"…" || got[2] != "last" {
		t.Errorf("tail = %q", got)
	}
	if got := tail(path+".absent", 3); len(got) != 0 {
		t.Errorf("tail of nothing = %q", got)
	}
}

func TestFailingChecks(t *testing.T) {
	for report, want := range map[string]string{
		"[+]ping ok\n[-]etcd failed: reason withheld\n[-]rbac failed\nreadyz check failed\n": "etcd failed: reason withheld, rbac failed",
		"404 page not found\n": "404 page not found",
		"":                     "",
	} {
		if got := failing(report); got != want {
			t.Errorf("failing(%q) = %q, want %q", report, got, want)
		}
	}
}
