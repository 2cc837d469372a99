package cache

import (
	"context"
	"time"

	"k8s.io/utils/clock"
)

// pause waits, if there is anything to wait. It returns false when the context is done.
func pause(ctx context.Context, c clock.Clock, delay time.Duration) bool {
	if delay <= 0 {
		return ctx.Err() == nil
	}
	timer := c.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}
