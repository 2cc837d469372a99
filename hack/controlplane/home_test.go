package controlplane

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestHomeLeavesFilesOfOthersAlone(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "etcd")
	if err := os.Mkdir(foreign, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := openHome(dir); err == nil || !strings.Contains(err.Error(), foreign) {
		t.Errorf("open error = %v, want one that names %s", err, foreign)
	}
	if err := Down(t.Context(), dir); err != nil {
		t.Error(err)
	}
	if !exists(foreign) {
		t.Errorf("%s is gone", foreign)
	}
}

func TestHomeIsClearedOfAllButLogs(t *testing.T) {
	h, lock, err := own(t.Context(), filepath.Join(t.TempDir(), "new", "home"))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.writePKI("https://127.0.0.1:6443"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{h.stateFile(), h.auditPolicy(), h.etcdData(), h.log(etcd), filepath.Join(h.dir, "foreign")} {
		if err := writeFile(path, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	lock.release()
	if err := Down(t.Context(), h.dir); err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, h.dir), "controlplane.lock etcd.log foreign"; got != want {
		t.Errorf("left %s, want %s", got, want)
	}
}

func TestHomeHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	h, lock, err := own(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := own(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "is held by process") {
		t.Errorf("second owner: error = %v", err)
	}
	if err := Down(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "is held by process") {
		t.Errorf("Down of an owned home: error = %v", err)
	}
	if err := h.leave(lock); err != nil {
		t.Error(err)
	}
	if _, lock, err = own(t.Context(), dir); err != nil {
		t.Fatalf("after the owner left: %v", err)
	}
	lock.release()
}

func TestOwnRefusesRunningControlPlane(t *testing.T) {
	h, err := openHome(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	us := process{PID: os.Getpid()}
	us.Started, _ = startOf(us.PID)
	if err := h.writeState(state{Ready: true, Parts: []partState{{Name: etcd, process: us}}}); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(h.lockFile(), nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := own(t.Context(), h.dir); err == nil || !strings.Contains(err.Error(), "down --dir") {
		t.Errorf("error = %v, want one that says how to end it", err)
	}
}

// A program that was killed leaves its temporary home. The next one removes
// it, but not that of a program that lives.
// temporaryHome returns a home that nobody has locked.
func temporaryHome(t *testing.T) home {
	t.Helper()
	h, lock, err := own(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	lock.release()
	return h
}

func TestSweepRemovesHomesOfTheDead(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	long := time.Now().Add(-time.Hour)
	abandoned := temporaryHome(t)
	owned, lock, err := own(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lock.release)
	outlived := temporaryHome(t)
	us := process{PID: os.Getpid()}
	us.Started, _ = startOf(us.PID)
	if err := outlived.writeState(state{Parts: []partState{{Name: "etcd", process: us}}}); err != nil {
		t.Fatal(err)
	}
	open := temporaryHome(t)
	if err := os.Chmod(open.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, h := range []home{abandoned, owned, outlived, open} {
		if err := os.Chtimes(h.lockFile(), long, long); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	if exists(abandoned.dir) {
		t.Error("the home of the dead is there")
	}
	if !exists(owned.dir) {
		t.Error("the home of the living is gone")
	}
	if !exists(outlived.dir) {
		t.Error("the home of a control plane that lives without its starter is gone")
	}
	if !exists(open.dir) {
		t.Error("a directory that others can enter is gone: its state may be forged")
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}
