package controller

import (
	"context"
	"errors"
	"runtime/debug"

	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// worker reconciles one key after the other until the hand-out stops. Reconciles get the other context, which lives on
// through the grace period.
func (c *Controller[K]) worker(handOut, reconciling context.Context) {
	ended := false
	defer func() {
		if !ended { // a reconcile has ended its goroutine; the key is settled
			c.workers.Go(func() { c.worker(handOut, reconciling) })
		}
	}()
	for handOut.Err() == nil {
		item, err := c.queue.Take(handOut)
		if err != nil {
			break
		}
		c.process(handOut, reconciling, item)
	}
	ended = true
}

// process reconciles a key and does what the result says, unless the hand-out has stopped.
func (c *Controller[K]) process(handOut, reconciling context.Context, item queue.Item[K]) {
	if handOut.Err() != nil {
		c.queue.Done(item.Key) // it did not run, so there is no outcome
		return
	}
	logger := klog.FromContext(reconciling).WithValues("key", item.Key)
	started := c.config.Clock.Now()
	result := Retry(errGoexit) // stands if the goroutine ends in the reconcile
	defer func() {
		defer c.queue.Finish(item, result.outcome())
		c.tell(logger, Observation[K]{
			Key:      item.Key,
			Result:   result,
			Queued:   started.Sub(item.ReadyAt),
			Took:     c.config.Clock.Since(started),
			Failures: failures(item, result),
		})
	}()
	result = c.reconcile(klog.NewContext(reconciling, logger), item.Key)
}

// reconcile calls the user's function and turns its panic into a result.
func (c *Controller[K]) reconcile(ctx context.Context, key K) (result Result) {
	defer func() {
		if value := recover(); value != nil {
			result = Retry(&PanicError{Value: value, Stack: debug.Stack()})
		}
	}()
	return c.config.Reconcile(ctx, key)
}

// failures returns how often in a row the key has failed with this run.
func failures[K comparable](item queue.Item[K], result Result) int {
	if result.err == nil {
		return 0
	}
	return item.Attempt
}

// tell counts and logs a reconcile, and shows it to the observer. An observer that panics misses it.
func (c *Controller[K]) tell(logger klog.Logger, seen Observation[K]) {
	defer func() {
		if value := recover(); value != nil {
			logger.Error(nil, "Observe panicked", "panic", value, "stack", string(debug.Stack()))
		}
	}()
	c.report(logger, seen)
	c.config.Observe(seen)
}

// report counts and logs a reconcile.
func (c *Controller[K]) report(logger klog.Logger, seen Observation[K]) {
	panicked, isPanic := errors.AsType[*PanicError](seen.Result.err)
	c.counts.add(seen.Result.err != nil, isPanic)
	switch {
	case isPanic:
		logger.Error(seen.Result.err, "Reconcile panicked, will retry", "failures", seen.Failures, "stack", string(panicked.Stack))
	case seen.Result.err != nil:
		logger.Error(seen.Result.err, "Reconcile failed, will retry", "failures", seen.Failures, "took", seen.Took)
	case logger.V(4).Enabled():
		logger.V(4).Info("Reconciled", "result", seen.Result.String(), "queued", seen.Queued, "took", seen.Took)
	}
}
