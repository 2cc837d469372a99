package controller

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// worker reconciles one key after the other until the hand-out stops. Reconciles get the other context, which lives on
// through the grace period.
func (c *Controller[K]) worker(handOut, reconciling context.Context) {
	s := c.seats.take()
	ended := false
	defer func() {
		c.seats.leave(s)
		if !ended { // a reconcile has ended its goroutine; the key is settled
			c.pool.group.Go(func() { c.worker(handOut, reconciling) })
		}
	}()
	for more := true; more && handOut.Err() == nil; {
		more = c.next(handOut, reconciling, s)
	}
	ended = true
}

// next reconciles one key, as soon as there is one. It returns false when the hand-out has stopped.
func (c *Controller[K]) next(handOut, reconciling context.Context, s *seat[K]) bool {
	trial, ok := c.gate.pass(handOut)
	if !ok {
		return false
	}
	item, err := c.queue.Take(handOut)
	if err != nil {
		c.gate.giveUp(trial)
		return false
	}
	if handOut.Err() != nil || !trial && c.gate.isShut() { // since this worker began to wait for a key
		c.gate.giveUp(trial)
		c.giveBack(item)
		return true
	}
	c.gate.begin(trial)
	c.process(c.begin(reconciling, item, trial), s)
	return true
}

// begin returns the run of a key that was taken.
func (c *Controller[K]) begin(reconciling context.Context, item queue.Item[K], trial bool) *reconcile[K] {
	run := &reconcile[K]{
		Context: reconciling, item: item, began: item.TakenAt, timeout: c.config.Timeout,
		trial: trial, counts: &c.counts, ids: &c.ids, number: c.ids.next(),
	}
	if !c.realTime {
		run.began = time.Now()
	}
	return run
}

// process reconciles a key and does what the result says.
func (c *Controller[K]) process(run *reconcile[K], s *seat[K]) {
	s.run.Store(run)
	result := Retry(errGoexit) // stands if the goroutine ends in the reconcile
	defer func() {
		s.run.Store(nil)
		c.end(run, result)
	}()
	result = c.call(run)
}

// giveBack returns a key that was taken and did not run, with its priority and first trigger.
func (c *Controller[K]) giveBack(item queue.Item[K]) {
	options := queue.AddOptions{Priority: item.Priority, Now: true}
	if item.Triggers != nil {
		options.Trigger = item.Triggers.First
	}
	c.queue.AddWith(item.Key, options)
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
	judged := c.judge(run, result, late)
	if len(expected) == 0 {
		defer c.finish(run, judged)
	} else {
		defer c.settling.then(run, expected, func() { c.finish(run, judged) })
	}
	c.tellGate(run, judged, len(expected) > 0)
	c.tell(run, judged)
}

// rateLimiterFailed is how long a key waits whose rate limiter does not say for how long.
const rateLimiterFailed = time.Second

// finish lets the key go. A rate limiter that panics has changed nothing; then nobody is asked how long to wait.
func (c *Controller[K]) finish(run *reconcile[K], judged verdict) {
	defer func() {
		if value := recover(); value != nil {
			run.logger().Error(nil, "Rate limiter panicked", "panic", value, "stack", string(debug.Stack()))
			c.queue.Finish(run.item, queue.RetryAfter(rateLimiterFailed, judged.err))
		}
	}()
	c.queue.Finish(run.item, judged.outcome())
}
