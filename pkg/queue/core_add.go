package queue

import "time"

// add makes the key ready now.
func (c *core[K]) add(e *entry[K], now time.Duration) {
	c.promote(now)
	c.note(e, causeAdd, now)
	c.raise(e, normalClass)
	if e.pending == ready {
		c.merge(e, true)
	} else {
		c.runNow(e, now)
	}
}

// isRepeated says whether an add in the class changes nothing but perhaps whether the pending run is firm.
func (c *core[K]) isRepeated(e *entry[K], class class) bool {
	return e != nil && e.pending == ready && class <= e.class && c.plain
}

// merge adds to an entry that is ready already.
func (c *core[K]) merge(e *entry[K], firm bool) {
	e.firm = e.firm || firm
	if c.ready.order != nil && !e.running {
		c.ready.order.Touch(e.key)
	}
}

// addAfter promises a run when the delay is over. Of two such delays the earlier wins.
func (c *core[K]) addAfter(e *entry[K], now, delay time.Duration) {
	c.report.retried++
	if delay <= 0 {
		c.add(e, now)
		return
	}
	c.promote(now)
	c.note(e, causeAddAfter, now)
	c.unpark(e)
	c.atLatest(e, after(now, delay))
	e.promised = true
}

// atLatest schedules an entry that is not parked, unless it is scheduled for an earlier time.
func (c *core[K]) atLatest(e *entry[K], due time.Duration) {
	switch {
	case !e.scheduled:
		c.schedule(e, due, WaitDelay)
	case due < c.delayed.due(e) && e.wait == WaitBackOff:
		c.schedule(e, due, WaitBackOff) // it still is a key that fails
	case due < c.delayed.due(e):
		c.schedule(e, due, WaitDelay)
	case e.wait == WaitQuiet:
		e.extra.quietBy = min(e.extra.quietBy, due)
	}
}

// addRateLimited counts a failure and makes the key ready when the limiter says so, unless it is earlier without that. A
// key that is ready, or waits for its retry already, costs the limiter nothing.
func (c *core[K]) addRateLimited(e *entry[K], now time.Duration) {
	c.promote(now)
	c.report.retried++
	c.note(e, causeRetry, now)
	c.unpark(e)
	if e.pending != ready && !e.inBackOff() {
		c.backOff(e, now)
	}
	e.failures++
}

// backOff makes an entry wait for its retry that fails once more and is neither ready nor parked.
func (c *core[K]) backOff(e *entry[K], now time.Duration) {
	if c.retryAt(e, c.pace(e, int(e.failures)+1, now), now) {
		c.spend(e, now)
	}
}

// retryAt makes an entry wait for its retry, unless it is due earlier without that: then that is its retry.
func (c *core[K]) retryAt(e *entry[K], due, now time.Duration) bool {
	if e.scheduled && c.delayed.due(e) <= due {
		e.wait = WaitBackOff
		return false
	}
	c.waitUntil(e, due, WaitBackOff, now)
	return true
}

// pace asks the limiter until when an entry waits that failed so often.
func (c *core[K]) pace(e *entry[K], failures int, now time.Duration) time.Duration {
	if c.pacer == nil {
		return after(now, c.limiter.When(e.key))
	}
	return after(now, c.pacer.Wait(e.key, failures, c.start.Add(now)))
}

// spend tells the limiter that the entry really waits for so long.
func (c *core[K]) spend(e *entry[K], now time.Duration) {
	if c.pacer != nil {
		c.pacer.Spend(e.key, c.start.Add(now))
	}
}

// event merges what happened into the pending run, or makes it one.
func (c *core[K]) event(e *entry[K], options *AddOptions, now time.Duration) {
	c.promote(now)
	if c.triggers > 0 {
		c.trigger(e, options.Trigger, now)
	}
	c.raise(e, options.Priority.class())
	hot := c.hotKeys.Quiet > 0 && c.isHot(e, now)
	switch {
	case e.pending == ready:
		c.merge(e, options.Now)
	case options.Now:
		c.runNow(e, now)
	case e.pending == parked, e.inBackOff():
		// An event does not shorten the wait of a key that fails (kubernetes/kubernetes#132805).
	case options.Delay > 0:
		c.atLatest(e, after(now, options.Delay))
	case hot:
		c.waitForQuiet(e, now)
	default:
		c.makeReady(e, now)
	}
}

// isHot notes an event and says whether it came soon after the one before.
func (c *core[K]) isHot(e *entry[K], now time.Duration) bool {
	x := e.more()
	hot := x.seen && now-x.lastEvent < c.hotKeys.Quiet
	x.seen, x.lastEvent = true, now
	return hot
}

// waitForQuiet makes an entry wait until no event has come for a while, but not for too long, nor longer than it waits
// without that. It is neither ready nor parked nor in back-off.
func (c *core[K]) waitForQuiet(e *entry[K], now time.Duration) {
	quiet := after(now, c.hotKeys.Quiet)
	switch {
	case e.scheduled && e.wait == WaitQuiet:
		c.schedule(e, min(quiet, e.extra.quietBy), WaitQuiet)
	case !e.scheduled:
		e.extra.quietBy = after(now, c.hotKeys.MaxWait)
		c.schedule(e, quiet, WaitQuiet)
	case quiet < c.delayed.due(e):
		e.extra.quietBy = min(after(now, c.hotKeys.MaxWait), c.delayed.due(e))
		c.schedule(e, quiet, WaitQuiet)
	}
}

// cancel takes back what is scheduled, and everything that was known of it.
func (c *core[K]) cancel(e *entry[K]) {
	c.unschedule(e)
	if e.running && !e.awaits() {
		e.class = e.runClass
	}
	if e.extra != nil && !e.awaits() {
		e.extra.triggers = nil
	}
	c.rest(e)
}
