package events

import (
	"cmp"
	"time"
)

// An outcome is what came of a write.
type outcome int

const (
	accepted outcome = iota
	exists           // created before, by us or by another
	missing          // to be patched, but gone
	later            // failed for now
	unknown          // failed for now, but may have happened
	rejected         // the server does not want it
)

// next takes the series that is to be written now, or returns how long to wait for one: negative if nothing is in sight.
func (c *correlator) next(now time.Time) (s *series, wait time.Duration) {
	c.pass(now)
	if s, _, ok := c.ready.oldest(); ok {
		c.ready.remove(s)
		s.stage = writing
		s.tried = cmp.Or(s.tried, now)
		return s, 0
	}
	if s, _, ok := c.cooling.oldest(); ok {
		return nil, s.coolUntil.Sub(now)
	}
	return nil, -1
}

// warm ends the pause of those that have paused enough.
func (c *correlator) warm(now time.Time) {
	for s, _, ok := c.cooling.oldest(); ok && (c.ending || !s.coolUntil.After(now)); s, _, ok = c.cooling.oldest() {
		c.cooling.remove(s)
		c.settle(s)
	}
}

// wrote takes what came of writing a series that had a count then. It returns false if the write failed for now.
func (c *correlator) wrote(now time.Time, s *series, count int, o outcome) bool {
	switch o {
	case accepted:
		c.accept(now, s, count)
	case exists:
		return c.adopt(now, s)
	case missing:
		s.created, s.uncertain = false, false
		c.setReady(s)
	case later, unknown:
		s.uncertain = s.uncertain || o == unknown && !s.created
		c.retry(now, s)
		return false
	case rejected:
		c.abandon(s, Rejected)
	}
	return true
}

// accept notes that the server has the first count events of a series.
func (c *correlator) accept(now time.Time, s *series, count int) {
	if s.created {
		c.status.Updated++
	} else {
		c.status.Created++
	}
	s.created = true
	c.sent(s, count)
	if s.closed {
		c.settle(s)
		return
	}
	s.stage = cooling
	s.coolUntil = now.Add(c.config.UpdateInterval)
	c.cooling.put(s, struct{}{})
}

func (c *correlator) sent(s *series, count int) {
	c.status.Sent += count - s.written
	c.status.Buffered -= count - s.written
	s.written, s.tried = count, time.Time{}
}

// adopt takes the Event that has our name. If an earlier request of ours got no answer it is ours, with at least one event,
// and a patch makes the rest right. Otherwise it is another's, and ours needs another name.
func (c *correlator) adopt(now time.Time, s *series) bool {
	if !s.uncertain {
		s.name = c.name(now, s)
		c.retry(now, s)
		return false
	}
	s.created = true
	c.status.Created++
	c.sent(s, max(s.written, 1))
	c.settle(s)
	return true
}

// retry puts a series behind the others, so that one that can't be written holds up none.
func (c *correlator) retry(now time.Time, s *series) {
	c.status.Retries++
	if now.Sub(s.tried) >= c.config.RetryFor {
		c.abandon(s, Unavailable)
		return
	}
	c.setReady(s)
}

// abandon gives up what is not written. An equal event makes a new Event.
func (c *correlator) abandon(s *series, cause Cause) {
	c.status.drop(cause, s.unwritten())
	c.status.Buffered -= s.unwritten()
	s.count = s.written
	s.stage = idle
	c.close(s)
}

// end makes everything ready that has something to write, now and from now on.
func (c *correlator) end(now time.Time) {
	c.ending = true
	c.warm(now)
}

// stop gives up everything.
func (c *correlator) stop(now time.Time) {
	c.end(now)
	c.stopped = true
	for s, _, ok := c.ready.oldest(); ok; s, _, ok = c.ready.oldest() {
		c.ready.remove(s)
		c.abandon(s, Stopped)
	}
}
