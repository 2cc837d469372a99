package integration_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

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
