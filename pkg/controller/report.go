package controller

import (
	"errors"
	"runtime/debug"
	"time"

	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/answer"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// An Observation tells of one reconcile.
type Observation[K comparable] struct {
	Key      K
	Result   Result
	Class    Class         // of the result's error
	Queued   time.Duration // from when the key was ready until a worker took it
	Took     time.Duration
	Failures int // in a row, this one included
}

// tellGate tells what a run has shown of the API server.
func (c *Controller[K]) tellGate(run *reconcile[K], trial bool, judged verdict, wrote bool) {
	switch {
	case judged.class == Refused:
		c.counts.refused.Add(1)
		c.gate.refused(run, judged.err)
	case wrote || answer.Is(judged.err):
		c.gate.answered(run)
	default:
		c.gate.unknown(trial)
	}
}

// tell counts and logs a run, and shows it to the observer.
func (c *Controller[K]) tell(run *reconcile[K], item *queue.Item[K], judged verdict) {
	c.counts.reconciles.Add(1)
	if judged.err == nil && c.config.Observe == nil && !c.verbose.Enabled() {
		return // nobody wants to know how long it took
	}
	seen := Observation[K]{
		Key:    item.Key,
		Result: judged.Result,
		Class:  judged.class,
		Queued: item.TakenAt.Sub(item.ReadyAt),
		Took:   c.config.Queue.Clock.Since(item.TakenAt),
	}
	if judged.err != nil {
		seen.Failures = item.Attempt
		c.counts.failures.Add(1)
		c.logFailure(run.logger(), seen)
	} else if c.verbose.Enabled() {
		run.logger().V(4).Info("Reconciled", "result", seen.Result.String(), "queued", seen.Queued, "took", seen.Took)
	}
	if c.config.Observe != nil {
		c.observe(run, seen)
	}
}

// observe shows a run to the observer. One that panics misses it.
func (c *Controller[K]) observe(run *reconcile[K], seen Observation[K]) {
	defer func() {
		if value := recover(); value != nil {
			run.logger().Error(nil, "Observe panicked", "panic", value, "stack", string(debug.Stack()))
		}
	}()
	c.config.Observe(seen)
}

func (c *Controller[K]) logFailure(logger klog.Logger, seen Observation[K]) {
	logger = logger.WithValues("failures", seen.Failures, "took", seen.Took)
	err := seen.Result.err
	panicked, isPanic := errors.AsType[*PanicError](err)
	switch {
	case isPanic:
		c.counts.panics.Add(1)
		logger.Error(err, "Reconcile panicked, will retry", "stack", string(panicked.Stack))
	case seen.Class == Terminal:
		logger.Error(err, "Reconcile failed, parked until something changes")
	case seen.Class == Failure:
		logger.Error(err, "Reconcile failed, will retry")
	default:
		logger.Info("Reconcile failed, will retry", "err", err, "class", seen.Class.String())
	}
}
