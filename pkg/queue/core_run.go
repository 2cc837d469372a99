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
	e.pending, e.running, e.firm = idle, true, false
	e.run, e.since, e.runClass = c.runs, now, e.class
	c.running.push(e)
	c.started += now
	c.count(e, inRunning, e.runClass, 1)
	if c.told {
		c.report.take(e.runClass, now-readyAt)
	}
	return e, readyAt
}

func (c *core[K]) next() *entry[K] {
	if c.ready.order == nil {
		return c.ready.pop()
	}
	e := c.table.get(c.ready.order.Pop())
	if e == nil || !e.queued() {
		panic("queue: Config.Order: Pop returned a key that was not pushed, or had been popped")
	}
	c.ready.count--
	return e
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

// done ends the run of an entry. What is pending by then takes its course. If nothing is and nobody counts, the time
// does not matter.
func (c *core[K]) done(e *entry[K], now time.Duration) {
	if e.awaits() {
		c.promote(now)
	}
	c.running.remove(e)
	c.started -= e.since
	c.count(e, inRunning, e.runClass, -1)
	if c.told {
		c.report.finish(e.runClass, now-e.since)
	}
	e.running = false
	switch e.pending {
	case ready:
		e.pending = idle // while the order is asked, which is the user's
		c.enqueue(e, now)
		e.pending = ready
	case parked:
		c.park(e, now)
	case idle:
		c.rest(e)
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
		c.fail(e, consumed, outcome, now)
	}
	c.done(e, now)
}

// requeue makes an entry wait that has succeeded, unless it is ready or due earlier without that.
func (c *core[K]) requeue(e *entry[K], delay, now time.Duration) {
	c.promote(now)
	c.raise(e, min(e.runClass, normalClass))
	if c.shutDown || e.pending == ready {
		return
	}
	c.note(e, causeRequeue, now)
	if delay == 0 {
		c.makeReady(e, now)
	} else {
		c.atLatest(e, after(now, delay))
	}
}

// fail makes an entry wait for its retry, or parks it. Events that came meanwhile become part of that, but runs that are
// firm or promised do not. The limiter, which is the user's, is asked before anything has changed.
func (c *core[K]) fail(e *entry[K], consumed *Triggers, outcome Outcome, now time.Duration) {
	c.promote(now)
	parks := outcome.kind == gaveUp || c.maxRetries != 0 && int(e.failures) >= max(0, c.maxRetries)
	due := now
	if !parks && !e.firm {
		due = c.retryDue(e, outcome, now)
	}
	e.failures++
	e.more().lastErr = outcome.err
	c.giveBack(e, consumed, now)
	class := max(e.class, e.runClass)
	c.withdraw(e)
	c.raise(e, class)
	switch {
	case e.pending == idle && parks && !e.scheduled:
		e.pending = parked
	case parks:
		c.forget(e) // another run was promised: that begins anew
	default:
		c.retry(e, outcome, due, now)
	}
}

// retryDue returns when the retry of an entry is due that fails once more.
func (c *core[K]) retryDue(e *entry[K], outcome Outcome, now time.Duration) time.Duration {
	if outcome.kind == failed {
		return c.pace(e, int(e.failures)+1, now)
	}
	return after(now, outcome.after)
}

// withdraw takes back what is pending for an entry that is running, except for what is firm or promised.
func (c *core[K]) withdraw(e *entry[K]) {
	if e.scheduled && !e.promised {
		c.unschedule(e)
	}
	if e.pending == ready && !e.firm {
		e.pending = idle
	}
}

func (c *core[K]) retry(e *entry[K], outcome Outcome, due, now time.Duration) {
	c.report.retried++
	if e.pending != ready && c.retryAt(e, due, now) && outcome.kind == failed {
		c.spend(e, now)
	}
}
