package controlplane

import (
	"context"
	"errors"
	"os"
)

// Backup is a copy of everything that a control plane stores, as of one moment.
// It lasts as long as the control plane.
type Backup struct{ dir string }

// Backup copies the data. etcd is stopped for that and started again, and the
// call returns when the API server has found it; meanwhile requests may fail.
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
// every part is stopped before and started after it. On an error parts may not
// run.
func (c *ControlPlane) Restore(ctx context.Context, b Backup) error {
	return c.change(func(l *launcher) error { return l.restore(ctx, b) })
}

func (l *launcher) backup(ctx context.Context) (Backup, error) {
	if err := l.stopPart(ctx, Etcd); err != nil {
		return Backup{}, err
	}
	b, err := l.copyData()
	return b, errors.Join(err, l.startPart(ctx, Etcd), l.awaitAPIServer(ctx))
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

// awaitAPIServer returns at once if the API server does not run.
func (l *launcher) awaitAPIServer(ctx context.Context) error {
	p, err := l.parts.find(APIServer)
	if err != nil || !p.running() {
		return err
	}
	ctx, cancel := withReadyTimeout(ctx)
	defer cancel()
	return l.awaitHealth(ctx, p.spec)
}

func (l *launcher) restore(ctx context.Context, b Backup) error {
	if b.dir == "" {
		return errors.New("controlplane: restore: the backup is empty")
	}
	if err := l.parts.stop(ctx); err != nil {
		return err
	}
	if err := l.replaceData(b); err != nil {
		return err
	}
	for _, s := range l.plan.specs() {
		if err := l.startPart(ctx, Part(s.name)); err != nil {
			return err
		}
	}
	return nil
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
