package controller

import (
	"context"
	"runtime/debug"

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
	run := &reconcile[K]{Context: reconciling, item: item, timeout: c.config.Timeout, ids: &c.ids, number: c.ids.next()}
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
		defer c.settling.then(run, expected, func() { c.queue.Finish(run.item, outcome) })
	}
	c.tellGate(run, judged, len(expected) > 0)
	c.tell(run, judged)
}
