package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
)

// Options configures a control plane. The zero value works for Start.
type Options struct {
	// Dir holds everything that belongs to the control plane. It is created
	// if absent and may hold other files. Defaults to a new temporary
	// directory, which Stop removes; Up needs a name.
	Dir string

	// FeatureGates is passed to kube-apiserver and kube-controller-manager. A
	// gate that they do not know, or cannot set so, fails the start. Defaults
	// to none.
	FeatureGates map[string]bool

	// AuditLog is a file that kube-apiserver appends JSON lines to, one for
	// every request at level Metadata (two for a watch: start and end).
	// Defaults to no audit.
	AuditLog string

	// APIServerArgs are further arguments of kube-apiserver, such as
	// "--goaway-chance=0.02". Of two with one flag the last one holds, and
	// these come last. Defaults to none.
	APIServerArgs []string

	// CacheDir holds the compiled binaries. Defaults to $SLUICE_CACHE_DIR, or
	// sluice/ in the user's cache directory.
	CacheDir string

	// Log takes progress in plain lines, from one goroutine at a time.
	// Defaults to none.
	Log io.Writer
}

// ControlPlane is a running control plane that belongs to this program. Its
// methods may be called from several goroutines.
type ControlPlane struct {
	home home
	lock *fileLock

	mu       sync.Mutex // parts start and stop one at a time
	launcher *launcher

	stop    sync.Once
	stopErr error // of the first Stop

	halt  chan struct{}
	done  chan struct{}
	crash error // set before done is closed
}

// Start builds a control plane if need be, starts it and waits until it is
// ready. The context bounds the start only; call Stop to end the control
// plane. An error leaves nothing running.
func Start(ctx context.Context, o Options) (*ControlPlane, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	bin, err := Build(ctx, o)
	if err != nil {
		return nil, err
	}
	h, lock, err := own(ctx, o.Dir)
	if err != nil {
		return nil, err
	}
	l, err := launch(ctx, h, bin, o, diesWithUs)
	if err != nil {
		return nil, errors.Join(err, h.leave(lock))
	}
	c := &ControlPlane{home: h, lock: lock, launcher: l, halt: make(chan struct{}), done: make(chan struct{})}
	go c.watch()
	return c, nil
}

// Kubeconfig returns the path of a kubeconfig with full access. The file holds
// its certificates inline, so a copy of it works elsewhere.
func (c *ControlPlane) Kubeconfig() string { return c.home.kubeconfig() }

// AuditLog returns the path of the audit log, as Options.AuditLog names it; empty
// if there is none.
func (c *ControlPlane) AuditLog() string { return c.launcher.opts.AuditLog }

// Dir returns the directory of the control plane.
func (c *ControlPlane) Dir() string { return c.home.dir }

// Done is closed when a part has died by itself or Stop was called. A part that
// was ended on purpose, by KillPart for instance, does not count.
func (c *ControlPlane) Done() <-chan struct{} { return c.done }

// Err returns nil until Done is closed. Then it tells which part died, with the
// end of its log; it is nil if Stop came first. The other parts run until Stop.
func (c *ControlPlane) Err() error {
	select {
	case <-c.done:
		return c.crash
	default:
		return nil
	}
}

// Stop ends the control plane in order and returns when nothing of it runs.
// Each part gets 10 seconds before it is killed, and none once the context has
// ended. Later calls return the result of the first. A call that starts or
// stops a part meanwhile is waited for.
func (c *ControlPlane) Stop(ctx context.Context) error {
	c.stop.Do(func() {
		close(c.halt)
		<-c.done
		c.mu.Lock()
		defer c.mu.Unlock()
		c.stopErr = errors.Join(c.launcher.stop(ctx), c.home.leave(c.lock))
	})
	return c.stopErr
}

// watch closes done at the first death of a part, or at Stop.
func (c *ControlPlane) watch() {
	defer close(c.done)
	select {
	case <-c.launcher.parts.crash.seen:
		c.crash = c.launcher.parts.crash.err
	case <-c.halt:
	}
}

func (o Options) withDefaults() (Options, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	var err error
	if o.AuditLog != "" {
		if o.AuditLog, err = filepath.Abs(o.AuditLog); err != nil {
			return o, err
		}
	}
	if o.CacheDir == "" {
		o.CacheDir, err = defaultCacheDir()
	}
	return o, err
}

func (o Options) logf(format string, args ...any) {
	_, _ = fmt.Fprintf(o.Log, format+"\n", args...)
}
