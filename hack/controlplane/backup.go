package controlplane

import (
	"context"
	"errors"
	"os"
	"slices"
)

// Backup is a copy of everything that a control plane stores, as of one moment.
// It lasts as long as the control plane.
type Backup struct{ dir string }

// Backup copies the data. The API server and etcd are stopped for that and
// started again, if they ran; on an error they may not run.
func (c *ControlPlane) Backup(ctx context.Context) (Backup, error) {
	var b Backup
	err := c.change(func(l *launcher) (err error) {
		b, err = l.backup(ctx)
		return err
	})
	return b, err
}

// Restore puts the data of a backup in the place of the present one, and the
// resource versions go back with it. As etcd's and Kubernetes' handbooks demand,
// every part is stopped before, and started after it if it ran; on an error
// they may not run.
func (c *ControlPlane) Restore(ctx context.Context, b Backup) error {
	return c.change(func(l *launcher) error { return l.restore(ctx, b) })
}

// backup stops the API server too: while it is connected, etcd takes seconds to
// stop and the API server seconds to find it again.
func (l *launcher) backup(ctx context.Context) (b Backup, err error) {
	err = l.pause(ctx, []Part{Etcd, APIServer}, func() error {
		b, err = l.copyData()
		return err
	})
	return b, err
}

func (l *launcher) restore(ctx context.Context, b Backup) error {
	if b.dir == "" {
		return errors.New("controlplane: restore: the backup is empty")
	}
	return l.pause(ctx, []Part{Etcd, APIServer, ControllerManager}, func() error { return l.replaceData(b) })
}

// pause stops the parts, last first, and starts those that ran when do is done.
// If that fails they stay stopped.
func (l *launcher) pause(ctx context.Context, names []Part, do func() error) error {
	ran := slices.DeleteFunc(names, func(name Part) bool { return !l.runs(name) })
	for _, name := range slices.Backward(ran) {
		if err := l.stopPart(ctx, name); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	for _, name := range ran {
		if err := l.startPart(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (l *launcher) runs(name Part) bool {
	p, err := l.parts.find(name)
	return err == nil && p.running()
}

func (l *launcher) copyData() (Backup, error) {
	if err := os.MkdirAll(l.home.backups(), 0o700); err != nil {
		return Backup{}, err
	}
	dir, err := os.MkdirTemp(l.home.backups(), "")
	if err != nil {
		return Backup{}, err
	}
	return Backup{dir}, os.CopyFS(dir, os.DirFS(l.home.etcdData()))
}

func (l *launcher) replaceData(b Backup) error {
	data := l.home.etcdData()
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	return os.CopyFS(data, os.DirFS(b.dir))
}
