package controlplanetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/controlplane"
)

// KubeconfigEnv names the environment variable that makes tests use another
// cluster.
const KubeconfigEnv = "SLUICE_TEST_KUBECONFIG"

// shared is the control plane of this test binary.
var shared = &cluster{} //nolint:gochecknoglobals // TestMain and the tests have no other place in common

// cluster starts a control plane at its first use.
type cluster struct {
	mu      sync.Mutex
	running bool // inside Run
	options controlplane.Options
	plane   *controlplane.ControlPlane
	err     error // of the start
}

// Run runs the tests of m, which is a *testing.M, stops the control plane if a
// test has started it, and returns the exit code.
func Run(m interface{ Run() int }) int {
	shared.open()
	code := m.Run()
	if err := shared.close(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// RunCheckingLeaks is Run, and fails if goroutines are left at the end, unless
// a test has failed before.
func RunCheckingLeaks(m interface{ Run() int }) int {
	code := Run(m)
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// RunWith is RunCheckingLeaks with a control plane that has the options: an audit
// log, for instance. Options.Log defaults to standard error.
func RunWith(m interface{ Run() int }, o controlplane.Options) int {
	shared.options = o
	return RunCheckingLeaks(m)
}

// Kubeconfig returns the path of a kubeconfig with full access to the cluster,
// which it starts if need be.
func Kubeconfig(tb testing.TB) string {
	tb.Helper()
	path, err := shared.kubeconfig(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// Config returns a client configuration with full access to the cluster, which
// it starts if need be. The client does not limit its own rate. Callers may
// change what they get.
func Config(tb testing.TB) *rest.Config {
	tb.Helper()
	return readConfig(tb, Kubeconfig(tb))
}

func (c *cluster) open() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = true
}

func (c *cluster) close(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = false
	if c.plane == nil {
		return nil
	}
	return errors.Join(c.plane.Err(), c.plane.Stop(ctx))
}

// kubeconfig starts the control plane at the first call. It reports the same
// failure to every later one.
func (c *cluster) kubeconfig(ctx context.Context) (string, error) {
	if path := os.Getenv(KubeconfigEnv); path != "" {
		return path, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running {
		return "", errors.New("no control plane; write: func TestMain(m *testing.M) { os.Exit(controlplanetest.Run(m)) }")
	}
	if c.plane == nil && c.err == nil {
		c.plane, c.err = c.start(ctx)
	}
	if c.err != nil {
		return "", c.err
	}
	return c.plane.Kubeconfig(), c.plane.Err()
}

func (c *cluster) start(ctx context.Context) (*controlplane.ControlPlane, error) {
	o := c.options
	if o.Log == nil {
		o.Log = os.Stderr
	}
	return controlplane.Start(ctx, o)
}

// started returns nil if no control plane of ours runs.
func (c *cluster) started() *controlplane.ControlPlane {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plane
}
