// Package pause waits for a while, or until a context is done.
package pause

import (
	"context"
	"time"

	"k8s.io/utils/clock"
)

// For waits, if there is anything to wait. It returns false when the context is done before or meanwhile.
func For(ctx context.Context, c clock.Clock, wait time.Duration) bool {
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := c.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}
