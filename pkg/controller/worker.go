package controller

import (
	"runtime/debug"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// worker reconciles one key after the other in its seat, until the hand-out stops.
func (c *Controller[K]) worker(s *seat[K]) {
	ended := false
	defer func() {
		if ended {
			c.seats.leave(s)
		} else { // a reconcile has ended its goroutine; the key is settled
			c.pool.group.Go(func() { c.worker(s) })
		}
	}()
	for c.take(s) {
		c.process(s)
	}
	ended = true
}

// take sees to it that the seat has a key that may run, as soon as there is one. It returns false when the hand-out has stopped.
func (c *Controller[K]) take(s *seat[K]) bool {
	for s.taken || c.waitForKey(s) {
		s.taken = false
		if s.handOut.Err() == nil && (s.trial || !c.gate.isShut()) {
			c.gate.begin(s.trial)
			return true
		}
		c.gate.giveUp(s.trial) // it is too late, since this worker began to take a key
		c.giveBack(s.item)
	}
	return false
}

// waitForKey takes a key, as soon as there is one. It returns false when the hand-out has stopped.
func (c *Controller[K]) waitForKey(s *seat[K]) (taken bool) {
	if s.handOut.Err() != nil {
		return false
	}
	trial, ok := c.gate.pass(s.handOut)
	if !ok {
		return false
	}
	item, err := c.queue.Take(s.handOut)
	if err != nil {
		c.gate.giveUp(trial)
		return false
	}
	s.item, s.trial, s.taken = item, trial, true
	return true
}

// process reconciles the key that was taken and does what the result says.
func (c *Controller[K]) process(s *seat[K]) {
	run := s.begin(c.realTime)
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
		defer c.finishAndTake(run, s, judged)
	} else {
		item := s.item // the seat will have another by then
		defer c.settling.then(run, expected, func() { c.finish(run, item, judged) })
	}
	c.tellGate(run, s.trial, judged, len(expected) > 0)
	c.tell(run, &s.item, judged)
}

// finishAndTake lets the key go, and takes another in the same breath if there is one and the worker may go on.
func (c *Controller[K]) finishAndTake(run *reconcile[K], s *seat[K], judged verdict) {
	if s.handOut.Err() != nil || !c.gate.isCalm() {
		c.finish(run, s.item, judged)
		return
	}
	defer func() {
		if value := recover(); value != nil {
			c.rateLimiterPanicked(run, s.item, judged, value)
		}
	}()
	s.trial = false
	s.taken = c.queue.FinishAndTake(&s.item, judged.outcome())
}

// finish lets the key go.
func (c *Controller[K]) finish(run *reconcile[K], item queue.Item[K], judged verdict) {
	defer func() {
		if value := recover(); value != nil {
			c.rateLimiterPanicked(run, item, judged, value)
		}
	}()
	c.queue.Finish(item, judged.outcome())
}

// rateLimiterFailed is how long a key waits whose rate limiter does not say for how long.
const rateLimiterFailed = time.Second

// rateLimiterPanicked lets a key go whose rate limiter has panicked, which has changed nothing. Nobody is asked how long to wait.
func (c *Controller[K]) rateLimiterPanicked(run *reconcile[K], item queue.Item[K], judged verdict, value any) {
	run.logger().Error(nil, "Rate limiter panicked", "panic", value, "stack", string(debug.Stack()))
	c.queue.Finish(item, queue.RetryAfter(rateLimiterFailed, judged.err))
}
