package integration_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sluice-k8s/sluice/hack/controlplane"
	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
)

func TestMain(m *testing.M) {
	if os.Getenv(programEnv) != "" {
		manager.Main("worker", program)
	}
	os.Exit(runTests(m))
}

// runTests gives the control plane an audit log.
func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "audit-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	return controlplanetest.RunWith(m, controlplane.Options{AuditLog: filepath.Join(dir, "audit.log")})
}

// patience is how long a test waits for what must happen; it is no measure of anything.
const patience = time.Minute

// await asks until there is no error.
func await(t *testing.T, ask func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		err := ask(ctx)
		if err == nil {
			return
		}
		if last == nil || ctx.Err() == nil { // the end of the wait is no reason
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited for long: %v", last)
		}
	}
}

// awaitTrue waits until what becomes true.
func awaitTrue(t *testing.T, what string, ask func() bool) {
	t.Helper()
	await(t, func(context.Context) error {
		if !ask() {
			return fmt.Errorf("%s: not yet", what)
		}
		return nil
	})
}

// receive waits for what must come.
func receive[T any](t *testing.T, what string, from <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(patience):
		t.Fatalf("waited for long for %s", what)
	}
	return got
}
