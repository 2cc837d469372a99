package events

import (
	"time"

	"golang.org/x/time/rate"
)

// A correlator decides which events become an Event of their own and which Event is to be written next. It does no I/O and
// reads no clock; the times it is given must not go back.
//
// An Event that is to be written is ready. While it is being written it is in neither queue. Then it cools: it is not
// written again until the interval is over, and becomes ready if its count has grown meanwhile. Since intervals are equally
// long, those that cool are in order of their end.
type correlator struct {
	config Config
	status Status

	open    *ordered[topic, *series]     // in order of their last event
	similar *ordered[similarity, *notes] // in order of the last event
	budgets *ordered[identity, *budget]  // in order of their last use
	ready   *ordered[*series, struct{}]  // in order of the wish
	cooling *ordered[*series, struct{}]  // in order of coolUntil
	stamp   int64                        // of the last name, in nanoseconds
	ending  bool                         // nothing cools any more
	stopped bool                         // nothing is written any more
}

// notes are the notes of similar events that have Events of their own.
type notes struct {
	known map[string]struct{}
	last  time.Time
}

// A budget says how many new Events an object may get.
type budget struct {
	bucket *rate.Limiter
	used   time.Time
}

func newCorrelator(config Config) *correlator {
	return &correlator{
		config:  config,
		status:  Status{Dropped: make(map[Cause]int)},
		open:    newOrdered[topic, *series](),
		similar: newOrdered[similarity, *notes](),
		budgets: newOrdered[identity, *budget](),
		ready:   newOrdered[*series, struct{}](),
		cooling: newOrdered[*series, struct{}](),
	}
}

// invalid counts an event that can't be written.
func (c *correlator) invalid() {
	c.status.Recorded++
	c.status.drop(Invalid, 1)
}

// observe takes an event. It becomes a part of an open series, a new one, or it is dropped.
func (c *correlator) observe(now time.Time, h happening) {
	c.status.Recorded++
	if c.stopped {
		c.status.drop(Stopped, 1)
		return
	}
	c.pass(now)
	c.combine(now, &h)
	if s, ok := c.open.get(h.topic); ok {
		c.merge(now, s)
		return
	}
	if cause := c.admit(now, h.regarding); cause != "" {
		c.status.drop(cause, 1)
		return
	}
	c.begin(now, h)
}

// combine replaces the note if there are too many similar ones.
func (c *correlator) combine(now time.Time, h *happening) {
	if c.config.Similar < 0 {
		return
	}
	similar, ok := c.similar.get(h.similarity)
	if !ok {
		return
	}
	similar.last = now
	c.similar.put(h.similarity, similar)
	if _, known := similar.known[h.note]; known || len(similar.known) < c.config.Similar {
		return
	}
	h.combine()
	c.status.Combined++
}

// merge adds an event to a series, which is to be written when it has cooled.
func (c *correlator) merge(now time.Time, s *series) {
	s.add(now)
	c.open.put(s.topic, s)
	c.status.Merged++
	c.status.Buffered++
	if s.stage == idle {
		c.setReady(s)
	}
}

// admit says why there must be no new Event, if so.
func (c *correlator) admit(now time.Time, regarding identity) Cause {
	if c.ready.len() >= c.config.Buffer {
		return Full
	}
	if c.config.Burst < 0 {
		return ""
	}
	b, ok := c.budgets.get(regarding)
	if !ok {
		b = &budget{bucket: rate.NewLimiter(rate.Every(c.config.Refill), c.config.Burst)}
	}
	b.used = now
	c.budgets.put(regarding, b)
	c.bound()
	if !b.bucket.AllowN(now, 1) {
		return Limited
	}
	return ""
}

// begin opens a series.
func (c *correlator) begin(now time.Time, h happening) {
	c.know(now, h)
	s := &series{happening: h, first: now}
	s.name = c.name(now, s)
	s.add(now)
	c.status.Buffered++
	c.open.put(s.topic, s)
	c.setReady(s)
	c.bound()
}

// know remembers a note that has an Event of its own.
func (c *correlator) know(now time.Time, h happening) {
	if h.combined || c.config.Similar < 0 {
		return
	}
	similar, ok := c.similar.get(h.similarity)
	if !ok {
		similar = &notes{known: make(map[string]struct{})}
	}
	similar.known[h.note] = struct{}{}
	similar.last = now
	c.similar.put(h.similarity, similar)
}

// pass lets the time until now go by.
func (c *correlator) pass(now time.Time) {
	c.expire(now)
	c.warm(now)
}

// expire forgets what is over. It costs nothing more than what it forgets.
func (c *correlator) expire(now time.Time) {
	for _, s, ok := c.open.oldest(); ok && now.Sub(s.last) > c.config.Window; _, s, ok = c.open.oldest() {
		c.close(s)
	}
	for key, n, ok := c.similar.oldest(); ok && now.Sub(n.last) > c.config.SimilarWindow; key, n, ok = c.similar.oldest() {
		c.similar.remove(key)
	}
	full := c.config.Refill * time.Duration(max(c.config.Burst, 0)) // after which a bucket is as good as new
	for key, b, ok := c.budgets.oldest(); ok && now.Sub(b.used) > full; key, b, ok = c.budgets.oldest() {
		c.budgets.remove(key)
	}
}

// bound forgets what was used least recently.
func (c *correlator) bound() {
	for c.open.len() > c.config.Memory {
		_, s, _ := c.open.oldest()
		c.close(s)
	}
	trim(c.similar, c.config.Memory)
	trim(c.budgets, c.config.Memory)
}

func trim[K comparable, V any](o *ordered[K, V], limit int) {
	for o.len() > limit {
		key, _, _ := o.oldest()
		o.remove(key)
	}
}

// close ends a series; its last count is still to be written, at once.
func (c *correlator) close(s *series) {
	if current, ok := c.open.get(s.topic); ok && current == s {
		c.open.remove(s.topic)
	}
	s.closed = true
	if s.stage == cooling {
		c.cooling.remove(s)
		c.settle(s)
	}
}

// settle makes a series ready if it has something to write.
func (c *correlator) settle(s *series) {
	s.stage = idle
	if s.unwritten() > 0 {
		c.setReady(s)
	}
}

func (c *correlator) setReady(s *series) {
	s.stage = ready
	c.ready.put(s, struct{}{})
}
