package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// home is the directory of one control plane.
type home struct {
	dir       string // absolute
	temporary bool   // to be removed when left
}

func (h home) kubeconfig() string  { return filepath.Join(h.dir, "admin.kubeconfig") }
func (h home) stateFile() string   { return filepath.Join(h.dir, "state.json") }
func (h home) lockFile() string    { return filepath.Join(h.dir, "controlplane.lock") }
func (h home) auditPolicy() string { return filepath.Join(h.dir, "audit-policy.json") }
func (h home) etcdData() string    { return filepath.Join(h.dir, "etcd") }
func (h home) backups() string     { return filepath.Join(h.dir, "backups") }

func (h home) log(part string) string { return filepath.Join(h.dir, part+".log") }
func (h home) pki(name string) string { return filepath.Join(h.dir, "pki", name) }

// perishable lists what ends with the control plane.
func (h home) perishable() []string {
	return []string{h.kubeconfig(), h.auditPolicy(), h.etcdData(), h.backups(), h.pki(""), h.stateFile()}
}

// openHome makes dir a home. It refuses a directory in which files of somebody
// else have the names that a control plane would overwrite.
func openHome(dir string) (home, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return home{}, err
	}
	h := home{dir: abs}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return home{}, err
	}
	if exists(h.lockFile()) {
		return h, nil
	}
	for _, path := range h.perishable() {
		if exists(path) {
			return home{}, fmt.Errorf("controlplane: %q exists and belongs to no control plane; choose another directory", path)
		}
	}
	return h, nil
}

// own returns a locked home for a control plane that belongs to this program.
// An empty dir means a temporary one.
func own(ctx context.Context, dir string) (home, *fileLock, error) {
	if dir == "" {
		sweep()
		return ownTemporary()
	}
	h, err := openHome(dir)
	if err != nil {
		return home{}, nil, err
	}
	lock, err := tryLock(h.lockFile())
	if err != nil {
		return home{}, nil, err
	}
	if err := h.vacate(ctx); err != nil {
		return home{}, nil, errors.Join(err, h.leave(lock))
	}
	return h, lock, nil
}

func ownTemporary() (home, *fileLock, error) {
	dir, err := os.MkdirTemp("", "sluice-controlplane-")
	if err != nil {
		return home{}, nil, err
	}
	h := home{dir: dir, temporary: true}
	lock, err := tryLock(h.lockFile())
	if err != nil {
		return home{}, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return h, lock, nil
}

// sweep removes temporary homes of programs that were killed. Whoever lives
// holds the lock; a directory younger than a minute may be about to take it.
// The parts have died with their program, so sweep ends no process: where one
// lives, Up has started it, or somebody else has written the state.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), "sluice-controlplane-*"))
	for _, dir := range dirs {
		h := home{dir: dir, temporary: true}
		info, err := os.Lstat(h.lockFile())
		if err != nil || !isPrivate(dir) || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		if lock, err := tryLock(h.lockFile()); err == nil {
			h.removeDead(lock)
		}
	}
}

// removeDead removes the home, unless a part of its control plane lives.
func (h home) removeDead(lock *fileLock) {
	if s, err := h.readState(); err != nil || s.alive() {
		lock.release()
		return
	}
	_ = h.leave(lock)
}

// vacate clears what a dead control plane left. It is an error if one runs.
func (h home) vacate(ctx context.Context) error {
	s, err := h.readState()
	if err != nil {
		return err
	}
	if s.running() {
		return fmt.Errorf("controlplane: a control plane runs in %q; end it with: controlplane down --dir %s", h.dir, h.dir)
	}
	return h.clear(ctx)
}

// clear stops every process that the state names and removes all but logs.
func (h home) clear(ctx context.Context) error {
	s, err := h.readState()
	if err != nil {
		return err
	}
	if err := s.stop(ctx); err != nil {
		return err
	}
	for _, path := range h.perishable() {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// leave gives up the lock, and the directory if it is temporary.
func (h home) leave(lock *fileLock) error {
	defer lock.release()
	if h.temporary {
		return os.RemoveAll(h.dir)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
