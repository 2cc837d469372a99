package write

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	firstPause = 10 * time.Millisecond
	maxPause   = time.Second
)

// again waits before a further attempt. It returns the error that the last has met, if there is to be none.
func (w *Writer[T]) again(ctx context.Context, attempt int, met error) error {
	if attempt >= w.config.Attempts {
		return met
	}
	if err := w.pause(ctx, attempt); err != nil {
		return fmt.Errorf("%w; gave up: %w", met, err)
	}
	return nil
}

// pause waits before a further attempt, so that those who write the same object get out of step. After the first there is
// no wait: most conflicts come of a cache that is behind, and are over with a fresh read.
func (w *Writer[T]) pause(ctx context.Context, attempt int) error {
	if attempt == 1 {
		return context.Cause(ctx)
	}
	timer := w.config.Clock.NewTimer(pauseAfter(attempt))
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// pauseAfter doubles with each attempt, and is spread from half to one and a half of that.
func pauseAfter(attempt int) time.Duration {
	wait := maxPause
	if doublings := attempt - 2; doublings < 7 {
		wait = min(firstPause<<doublings, maxPause)
	}
	return wait/2 + rand.N(wait)
}
