package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// progressInterval is the time between two lines about a build.
const progressInterval = 15 * time.Second

// compile builds the parts of r into dir, and tells what it is doing.
func (o Options) compile(ctx context.Context, r release, dir string) error {
	o.logf("compiling kube-apiserver and kube-controller-manager %s and etcd %s with %s (about 6 minutes on 2 cores, once; then they stay in %s)",
		r.kubernetes, r.etcd, runtime.Version(), filepath.Dir(dir))
	work := filepath.Join(dir, "work")
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	list := goCommand{dir: r.dir, work: work, args: append([]string{"list", "-deps"}, r.packages()...)}
	packages, err := o.run(ctx, &list, func() string {
		return fmt.Sprintf("%d modules downloaded", list.count("go: downloading "))
	})
	if err != nil {
		return err
	}
	total := bytes.Count(packages, []byte("\n"))
	build := goCommand{dir: r.dir, work: work, args: slices.Concat([]string{"build", "-o", dir + "/"}, r.flags(), r.packages())}
	if _, err := o.run(ctx, &build, func() string {
		return fmt.Sprintf("%d of at most %d packages compiled", build.count(""), total)
	}); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(work), os.Rename(filepath.Join(dir, "server"), filepath.Join(dir, etcd)))
}

// run runs c and logs what progress says from time to time.
func (o Options) run(ctx context.Context, c *goCommand, progress func() string) ([]byte, error) {
	began := time.Now()
	tick := time.NewTicker(progressInterval)
	defer tick.Stop()
	c.start(ctx)
	for {
		select {
		case <-tick.C:
			o.logf("  %s after %v", progress(), time.Since(began).Round(time.Second))
		case <-c.ended:
			return c.stdout.Bytes(), c.err
		}
	}
}

// goCommand is one run of the go command.
type goCommand struct {
	dir  string
	work string // for temporary files
	args []string

	mu     sync.Mutex
	stderr bytes.Buffer

	stdout bytes.Buffer
	ended  chan struct{}
	err    error
}

// start returns at once. The end of the context interrupts the command.
func (c *goCommand) start(ctx context.Context) {
	c.ended = make(chan struct{})
	go func() {
		defer close(c.ended)
		runtime.LockOSThread() // the death signal is bound to the thread
		defer runtime.UnlockOSThread()
		c.err = c.exec(ctx)
	}()
}

// exec interrupts the whole session of the command, so that it removes its
// work directory and its compilers end.
func (c *goCommand) exec(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", c.args...)
	cmd.Dir, cmd.Env = c.dir, slices.Concat(os.Environ(), goSettings(), []string{"GOTMPDIR=" + c.work})
	cmd.Stdout, cmd.Stderr = &c.stdout, c
	cmd.SysProcAttr = attributes(syscall.SIGINT)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("controlplane: build: %w", context.Cause(ctx))
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("controlplane: build: %w; install Go 1.26 or later", err)
	}
	return fmt.Errorf("controlplane: go %s: %w; the end of its output:\n%s", c.args[0], err, indent(lastLines(c.output(), tailLines)))
}

// Write takes standard error while count reads it.
func (c *goCommand) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stderr.Write(b)
}

func (c *goCommand) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stderr.String()
}

// count returns how many lines of standard error start with the prefix.
func (c *goCommand) count(prefix string) int {
	n := 0
	for line := range strings.Lines(c.output()) {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}
