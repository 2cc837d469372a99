package queue

import "time"

// take hands out the next entry, or nil, and tells since when it was ready.
func (c *core[K]) take(now time.Duration) (e *entry[K], readyAt time.Duration) {
	c.promote(now)
	if c.ready.len() == 0 {
		return nil, 0
	}
	e = c.next()
	readyAt = e.since
	c.count(e, inReady, e.class, -1)
	c.runs++
	e.pending, e.running, e.firm, e.promised = idle, true, false, false
	e.run, e.since, e.runClass = c.runs, now, e.class
	c.running.push(e)
	c.started += now
	c.count(e, inRunning, e.runClass, 1)
	c.report.take(e.runClass, now-readyAt)
	return e, readyAt
}

func (c *core[K]) next() *entry[K] {
	if c.ready.order == nil {
		return c.ready.pop()
	}
	key := c.ready.order.Pop()
	c.ready.count--
	return c.table.add(key)
}

// runningEntry returns the entry of a key that is running, or nil. Often that is the one that was taken last.
func (c *core[K]) runningEntry(key K) *entry[K] {
	if last := c.running.tail; last != nil && last.key == key {
		return last
	}
	if e := c.table.get(key); e != nil && e.running {
		return e
	}
	return nil
}

// done ends the run of an entry. What is pending by then takes its course. If nothing is and nobody counts, the time does
// not matter.
func (c *core[K]) done(e *entry[K], now time.Duration) {
	if e.pending != idle {
		c.promote(now)
	}
	c.running.remove(e)
	c.started -= e.since
	c.count(e, inRunning, e.runClass, -1)
	c.report.finish(e.runClass, now-e.since)
	e.running = false
	switch e.pending {
	case ready:
		c.enqueue(e, now)
	case parked:
		c.park(e, now)
	case idle:
		c.rest(e)
	case delayed: // stays scheduled
	}
}

// finish settles what becomes of an entry that is running, and ends its run.
func (c *core[K]) finish(e *entry[K], consumed *Triggers, outcome Outcome, now time.Duration) {
	switch {
	case outcome.kind == succeeded:
		c.forget(e)
	case outcome.kind == requeued:
		c.forget(e)
		c.requeue(e, outcome.after, now)
	case c.shutDown: // a retry is an add, and those are over
	default:
		c.promote(now)
		c.fail(e, consumed, outcome, now)
	}
	c.done(e, now)
}

// requeue makes an entry wait that has succeeded, unless it is ready or due earlier without that.
func (c *core[K]) requeue(e *entry[K], delay, now time.Duration) {
	c.promote(now)
	if e.pending == idle {
		e.class = min(e.class, normalClass)
	}
	switch {
	case c.shutDown || e.pending == ready:
	case delay == 0:
		c.makeReady(e, now)
	default:
		c.note(e, causeRequeue, now)
		c.atLatest(e, after(now, delay))
	}
}

// fail makes the entry wait for its retry, or parks it. Events that came meanwhile become part of that.
func (c *core[K]) fail(e *entry[K], consumed *Triggers, outcome Outcome, now time.Duration) {
	e.failures++
	e.more().lastErr = outcome.err
	c.giveBack(e, consumed, now)
	class := max(e.class, e.runClass)
	if !e.firm {
		c.withdraw(e, now)
	}
	c.raise(e, class)
	tooOften := c.maxRetries != 0 && int(e.failures) > max(0, c.maxRetries)
	if outcome.kind == gaveUp || tooOften {
		c.giveUp(e)
	} else {
		c.retry(e, outcome, now)
	}
}

// withdraw takes back the pending run of an entry that is running, except for what was promised.
func (c *core[K]) withdraw(e *entry[K], now time.Duration) {
	if e.pending == delayed {
		c.unschedule(e)
	}
	e.pending = idle
	if e.promised {
		c.waitUntil(e, e.extra.promise, WaitDelay, now)
	}
}

// giveUp parks an entry, unless another run was promised: that begins anew.
func (c *core[K]) giveUp(e *entry[K]) {
	if e.pending == idle {
		e.pending = parked
	} else {
		c.forget(e)
	}
}

func (c *core[K]) retry(e *entry[K], outcome Outcome, now time.Duration) {
	c.report.retried++
	switch {
	case e.pending == ready:
	case outcome.kind == failed:
		c.backOff(e, now)
	default:
		c.retryAt(e, after(now, outcome.after), now)
	}
}
