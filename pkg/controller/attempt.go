package controller

import (
	"context"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// An Attempt is what is known of a reconcile that is under way, beside its key.
type Attempt struct {
	// ID tells this reconcile from others, in logs for instance: it is the value "reconcileID" of the context's logger.
	ID string
	// Number is 1 if the reconcile before did not fail, and one more for each failure in a row.
	Number int
	// ReadyAt is since when the key was to be reconciled.
	ReadyAt time.Time
	// Triggers say why. They are nil unless [queue.Config.Triggers] of [Config.Queue] asks for them.
	Triggers *queue.Triggers
}

// AttemptFrom returns the attempt that the context belongs to, and whether it is that of a reconcile that is under way.
func AttemptFrom(ctx context.Context) (Attempt, bool) {
	if run, ok := ctx.Value(scopeKey{}).(scope); ok {
		return run.attempt()
	}
	return Attempt{}, false
}

func (r *reconcile[K]) attempt() (Attempt, bool) { return r.seat.attempt(r) }
