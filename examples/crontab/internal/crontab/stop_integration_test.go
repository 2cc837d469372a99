package crontab

import (
	"testing"

	"go.uber.org/goleak"
)

// Not parallel: it counts goroutines. Those of the control plane and of the test's own clients were there before.
func TestRunLeavesNothingBehind(t *testing.T) {
	c := newCluster(t)
	c.jobs()
	before := goleak.IgnoreCurrent()
	_, stop := c.run(setup{})
	c.create(asIs)
	c.awaitActive(1)
	stop()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}
