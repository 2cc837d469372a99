package queue_test

import (
	"testing"

	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
	"github.com/sluice-k8s/sluice/pkg/queue/queuetest"
)

// An order of ours is a queue of client-go's, and the other way round.
var (
	_ workqueue.Queue[string] = queue.Order[string](nil)
	_ queue.Order[string]     = workqueue.Queue[string](nil)
)

func TestOrderOfClientGoConforms(t *testing.T) {
	queuetest.TestOrder(t, func() queue.Order[string] { return workqueue.DefaultQueue[string]() })
}
