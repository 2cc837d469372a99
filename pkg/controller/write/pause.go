package write

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/sluice-k8s/sluice/pkg/internal/pause"
)

const (
	firstPause = 10 * time.Millisecond
	maxPause   = time.Second
)

// again waits before a further attempt, so that those who write the same object get out of step. It returns the error that the
// last has met, if there is to be none.
func (w *Writer[T]) again(ctx context.Context, attempt int, met error) error {
	switch {
	case attempt >= w.config.Attempts:
		return met
	case !pause.For(ctx, w.config.Clock, pauseAfter(attempt)):
		return fmt.Errorf("%w; gave up: %w", met, context.Cause(ctx))
	default:
		return nil
	}
}

// pauseAfter doubles with each attempt, and is spread from half to one and a half of that. After the first there is no wait: most
// conflicts come of a cache that is behind, and are over with a fresh read.
func pauseAfter(attempt int) time.Duration {
	if attempt == 1 {
		return 0
	}
	wait := maxPause
	if doublings := attempt - 2; doublings < 7 {
		wait = min(firstPause<<doublings, maxPause)
	}
	return wait/2 + rand.N(wait)
}
