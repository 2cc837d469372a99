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
	s := &seat[K]{shared: reconciling, timeout: c.config.Timeout, ids: &c.ids, counts: &c.counts}
	c.seats.take(s)
	ended := false
	defer func() {
		c.seats.leave(s)
		if !ended { // a reconcile has ended its goroutine; the key is settled
			c.pool.group.Go(func() { c.worker(handOut, reconciling) })
		}
	}()
	for more := true; more && handOut.Err() == nil; {
		more = c.next(handOut, s)
	}
	ended = true
}

// next reconciles one key, as soon as there is one. It returns false when the hand-out has stopped.
func (c *Controller[K]) next(handOut context.Context, s *seat[K]) bool {
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
	c.process(s.begin(item, c.began(item), trial), s)
	return true
}

// began returns when a key was taken, in real time.
func (c *Controller[K]) began(item queue.Item[K]) time.Time {
	if c.realTime {
		return item.TakenAt
	}
	return time.Now()
}

// process reconciles a key and does what the result says.
func (c *Controller[K]) process(run *reconcile[K], s *seat[K]) {
	result := Retry(errGoexit) // stands if the goroutine ends in the reconcile
	defer func() { c.end(run, s, result) }()
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
	return c.config.Reconcile(run, run.key)
}

// end judges a run, tells of it, and lets the key go as soon as the caches have what it wrote.
func (c *Controller[K]) end(run *reconcile[K], s *seat[K], result Result) {
	expected, late := s.end()
	judged := c.judge(run, result, late)
	if len(expected) == 0 {
		defer c.finish(run, &s.item, judged)
	} else {
		item := s.item // the seat will have another by then
		defer c.settling.then(run, expected, func() { c.finish(run, &item, judged) })
	}
	c.tellGate(run, s.trial, judged, len(expected) > 0)
	c.tell(run, &s.item, judged)
}

// rateLimiterFailed is how long a key waits whose rate limiter does not say for how long.
const rateLimiterFailed = time.Second

// finish lets the key go. A rate limiter that panics has changed nothing; then nobody is asked how long to wait.
func (c *Controller[K]) finish(run *reconcile[K], item *queue.Item[K], judged verdict) {
	defer func() {
		if value := recover(); value != nil {
			run.logger().Error(nil, "Rate limiter panicked", "panic", value, "stack", string(debug.Stack()))
			c.queue.Finish(*item, queue.RetryAfter(rateLimiterFailed, judged.err))
		}
	}()
	c.queue.Finish(*item, judged.outcome())
}
