package controller

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// worker reconciles one key after the other until the hand-out stops. Reconciles get the other context, which lives on
// through the grace period.
func (c *Controller[K]) worker(handOut, reconciling context.Context) {
	ended := false
	defer func() {
		if !ended { // a reconcile has ended its goroutine; the key is settled
			c.pool.group.Go(func() { c.worker(handOut, reconciling) })
		}
	}()
	for handOut.Err() == nil && c.gate.pass(handOut) {
		item, err := c.queue.Take(handOut)
		if err != nil {
			c.gate.unknown()
			break
		}
		c.process(handOut, reconciling, item)
	}
	ended = true
}

// process reconciles a key and does what the result says, unless the hand-out has stopped.
func (c *Controller[K]) process(handOut, reconciling context.Context, item queue.Item[K]) {
	if handOut.Err() != nil {
		c.gate.unknown()
		c.giveBack(item)
		return
	}
	run := &reconcile[K]{
		Context: reconciling, item: item, timeout: c.config.Timeout, started: c.config.Clock.Now(),
		ids: &c.ids, number: c.ids.next(),
	}
	result := Retry(errGoexit) // stands if the goroutine ends in the reconcile
	defer func() { c.end(run, result) }()
	result = c.call(run)
}

// giveBack returns a key that was taken and did not run.
func (c *Controller[K]) giveBack(item queue.Item[K]) {
	c.queue.Add(item.Key)
	c.queue.Done(item.Key)
}

// call calls the user's function and turns its panic into a result.
func (c *Controller[K]) call(run *reconcile[K]) (result Result) {
	defer func() {
		if value := recover(); value != nil {
			result = Retry(&PanicError{Value: value, Stack: debug.Stack()})
		}
	}()
	return c.config.Reconcile(run, run.item.Key)
}

// end judges a run, tells of it, and lets the key go as soon as the caches have what it wrote.
func (c *Controller[K]) end(run *reconcile[K], result Result) {
	expected, late := run.end()
	judged := c.judge(result, late)
	outcome := judged.outcome()
	if len(expected) == 0 {
		defer c.queue.Finish(run.item, outcome)
	} else {
		defer c.settling.then(run.logger(), expected, c.finisher(run.item, outcome))
	}
	c.tellGate(run, judged, len(expected) > 0)
	c.tell(run, judged)
}

// tellGate tells what the run has shown of the API server.
func (c *Controller[K]) tellGate(run *reconcile[K], judged verdict, wrote bool) {
	var status apierrors.APIStatus
	switch {
	case judged.class == Refused:
		c.counts.refused.Add(1)
		c.gate.refused(run.logger(), judged.err)
	case wrote || errors.As(judged.err, &status):
		c.gate.answered(run.logger())
	default:
		c.gate.unknown()
	}
}

// tell counts and logs a reconcile, and shows it to the observer. An observer that panics misses it.
func (c *Controller[K]) tell(run *reconcile[K], judged verdict) {
	defer func() {
		if value := recover(); value != nil {
			run.logger().Error(nil, "Observe panicked", "panic", value, "stack", string(debug.Stack()))
		}
	}()
	seen := Observation[K]{
		Key:    run.item.Key,
		Result: judged.Result,
		Class:  judged.class,
		Queued: run.started.Sub(run.item.ReadyAt),
		Took:   c.config.Clock.Since(run.started),
	}
	if judged.err != nil {
		seen.Failures = run.item.Attempt
	}
	c.report(run, seen)
	c.config.Observe(seen)
}

// report counts and logs a reconcile.
func (c *Controller[K]) report(run *reconcile[K], seen Observation[K]) {
	c.counts.reconciles.Add(1)
	if seen.Result.err != nil {
		c.counts.failures.Add(1)
		reportFailure(run.logger(), seen, &c.counts)
		return
	}
	if logger := c.verbose; logger.Enabled() {
		run.logger().V(4).Info("Reconciled", "result", seen.Result.String(), "queued", seen.Queued, "took", seen.Took)
	}
}

func reportFailure[K comparable](logger klog.Logger, seen Observation[K], counts *counts) {
	logger = logger.WithValues("failures", seen.Failures, "took", seen.Took)
	err := seen.Result.err
	panicked, isPanic := errors.AsType[*PanicError](err)
	switch {
	case isPanic:
		counts.panics.Add(1)
		logger.Error(err, "Reconcile panicked, will retry", "stack", string(panicked.Stack))
	case seen.Class == Terminal:
		logger.Error(err, "Reconcile failed, parked until something changes")
	case seen.Class == Failure:
		logger.Error(err, "Reconcile failed, will retry")
	default:
		logger.Info("Reconcile failed, will retry", "reason", err, "class", seen.Class.String())
	}
}

// An Observation tells of one reconcile.
type Observation[K comparable] struct {
	Key      K
	Result   Result
	Class    Class         // of the result's error
	Queued   time.Duration // from when the key was ready until a worker took it
	Took     time.Duration
	Failures int // in a row, this one included
}
