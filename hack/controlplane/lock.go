//go:build unix

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// fileLock is an exclusive advisory lock. The kernel releases it when its
// holder dies, and children do not inherit it.
type fileLock struct{ file *os.File }

// lockedError says who holds a lock.
type lockedError struct{ path, holder string }

func (e *lockedError) Error() string {
	return fmt.Sprintf("controlplane: %q is held by process %s", e.path, e.holder)
}

// tryLock takes the lock of path, a file that it creates and never removes. It
// returns a *lockedError if another process has it.
func tryLock(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &lockedError{path: path, holder: readHolder(path)}
		}
		return nil, fmt.Errorf("lock %q: %w", path, err)
	}
	writeHolder(f)
	return &fileLock{f}, nil
}

// awaitLock is tryLock that waits for the holder. It calls waiting once, with
// the error that says who holds the lock, before it waits.
func awaitLock(ctx context.Context, path string, waiting func(error)) (*fileLock, error) {
	retry := time.NewTicker(200 * time.Millisecond)
	defer retry.Stop()
	for first := true; ; first = false {
		lock, err := tryLock(path)
		if held := (*lockedError)(nil); !errors.As(err, &held) {
			return lock, err
		}
		if first {
			waiting(err)
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", err, context.Cause(ctx))
		}
	}
}

func (l *fileLock) release() { _ = l.file.Close() }

func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// writeHolder leaves a hint for whoever finds the lock taken.
func writeHolder(f *os.File) {
	_ = f.Truncate(0)
	_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
}

func readHolder(path string) string {
	b, _ := os.ReadFile(path)
	if len(b) == 0 {
		return "(unknown)"
	}
	return strings.TrimSpace(string(b))
}
