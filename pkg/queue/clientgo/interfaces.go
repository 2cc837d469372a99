package clientgo

import (
	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// What stands for what without help.
var (
	_ workqueue.TypedRateLimitingInterface[string] = (*queue.Queue[string])(nil)
	_ workqueue.TypedRateLimiter[string]           = queue.RateLimiter[string](nil)
	_ queue.RateLimiter[string]                    = workqueue.TypedRateLimiter[string](nil)
	_ queue.Order[string]                          = workqueue.Queue[string](nil)
)
