package crontab

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
)

// Not parallel: it counts goroutines. Those of the control plane and of the test's own clients were there before.
func TestRunLeavesNothingBehind(t *testing.T) {
	c := newCluster(t)
	c.jobs()
	before := goleak.IgnoreCurrent()
	_, stop := c.run(Config{Client: controlplanetest.Config(t)})
	c.create(asIs)
	c.awaitActive(1)
	stop()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}
