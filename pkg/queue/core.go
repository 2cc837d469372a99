package queue

import "time"

// A core is the queue's state and its transitions. It has no lock, no clock and no goroutine: every call says what time
// it is, measured from the start of the queue, and a [Queue] calls it under its lock.
type core[K comparable] struct {
	limiter    RateLimiter[K]
	pacer      Pacer[K] // the limiter, if it is one
	maxRetries int
	hotKeys    HotKeys
	triggers   int
	timed      bool
	told       bool // metrics are
	plain      bool // an add of a key that is ready changes nothing: no triggers, hot keys or order want to know
	start      time.Time

	table    table[K]
	ready    readySet[K]
	delayed  schedule[K]
	running  list[K]       // in the order of their start
	parked   list[K]       // in the order of being parked
	started  time.Duration // sum of all running entries' since
	runs     uint32
	counts   [numPlaces][numClasses]int
	report   report
	shutDown bool
}

// A place is where an entry is counted. One that is scheduled, and ready or running until then, is in two.
type place int

const (
	inReady place = iota
	inDelayed
	inRunning
	inParked
	numPlaces int = iota
)

func newCore[K comparable](config Config[K]) core[K] {
	pacer, _ := config.RateLimiter.(Pacer[K])
	return core[K]{
		limiter:    config.RateLimiter,
		pacer:      pacer,
		maxRetries: config.MaxRetries,
		hotKeys:    config.HotKeys,
		triggers:   config.Triggers,
		timed:      config.Timed || config.Triggers > 0 || config.Metrics != nil,
		plain:      config.Triggers == 0 && config.HotKeys.Quiet == 0 && config.Order == nil,
		told:       config.Metrics != nil,
		start:      config.Clock.Now(),
		table:      newTable(config.Remember, config.Tenant),
		ready:      readySet[K]{maxOvertakes: config.MaxOvertakes, order: config.Order},
	}
}

// stamp returns a time that is shown to others, if such times are kept.
func (c *core[K]) stamp(at time.Duration) time.Time {
	if !c.timed {
		return time.Time{}
	}
	return c.start.Add(at)
}

func (c *core[K]) count(e *entry[K], where place, class class, change int) {
	c.counts[where][class] += change
	if e.tenant != nil {
		c.table.count(e.tenant, where, change)
	}
}

// active says whether anything is left to do.
func (c *core[K]) active() bool {
	return c.unfinished()+c.delayed.len()+c.parked.count > 0
}

// unfinished returns how many keys are ready or running: what a drain waits for.
func (c *core[K]) unfinished() int { return c.ready.len() + c.running.count }

// runNow makes an entry ready, whatever it waits for. It must not be ready yet.
func (c *core[K]) runNow(e *entry[K], now time.Duration) {
	c.unpark(e)
	c.makeReady(e, now)
	e.firm = true
}

// makeReady makes an entry ready that is not, nor parked.
func (c *core[K]) makeReady(e *entry[K], now time.Duration) {
	switch {
	case e.promised:
		e.wait = WaitDelay // that alone stays, whatever else it waited for
	case e.scheduled:
		c.unschedule(e)
	}
	if !e.running {
		c.enqueue(e, now)
	}
	e.pending, e.firm = ready, false
}

// enqueue puts an entry into the ready set that is ready and not running.
func (c *core[K]) enqueue(e *entry[K], since time.Duration) {
	e.since = since
	c.ready.push(e)
	c.count(e, inReady, e.class, 1)
	c.report.added[e.class]++
}

// promote makes ready what is due. Every transition begins with it, so that what was due before comes before.
func (c *core[K]) promote(now time.Duration) {
	if c.delayed.len() > 0 {
		c.promoteDue(now)
	}
}

func (c *core[K]) promoteDue(now time.Duration) {
	for c.delayed.nextDue() <= now {
		e, due, promised := c.delayed.first(), c.delayed.nextDue(), c.delayed.first().promised
		c.unschedule(e)
		if e.pending == idle {
			c.makeReady(e, due)
		}
		if promised {
			c.keepPromise(e, due)
		}
	}
}

// keepPromise is for an entry whose promised run is ready.
func (c *core[K]) keepPromise(e *entry[K], due time.Duration) {
	e.firm = true
	if c.triggers > 0 && e.more().triggers == nil { // an earlier run has taken the one that AddAfter left
		c.note(e, causeAddAfter, due)
	}
}

// waitUntil schedules an entry, or makes it ready if it is due already.
func (c *core[K]) waitUntil(e *entry[K], due time.Duration, wait Wait, now time.Duration) {
	if due <= now {
		c.makeReady(e, now)
	} else {
		c.schedule(e, due, wait)
	}
}

// schedule makes an entry wait until it is due.
func (c *core[K]) schedule(e *entry[K], due time.Duration, wait Wait) {
	if e.scheduled {
		c.delayed.move(e, due)
	} else {
		c.delayed.add(e, due)
		c.count(e, inDelayed, e.class, 1)
	}
	e.scheduled, e.wait = true, wait
}

// unschedule takes back what is scheduled.
func (c *core[K]) unschedule(e *entry[K]) {
	c.delayed.remove(e)
	c.count(e, inDelayed, e.class, -1)
	e.scheduled, e.promised = false, false
}

// unpark makes a parked entry idle, as if it had never failed. It does nothing to others.
func (c *core[K]) unpark(e *entry[K]) {
	if e.pending != parked {
		return
	}
	c.parked.remove(e)
	c.count(e, inParked, e.class, -1)
	e.pending = idle
	c.forget(e)
}

// park puts an entry on the parked list that is parked and not running any more.
func (c *core[K]) park(e *entry[K], now time.Duration) {
	c.parked.push(e)
	c.count(e, inParked, e.class, 1)
	e.more().parkedAt = now
}

// raise gives an entry the class if it is higher than that of what is pending, or nothing is.
func (c *core[K]) raise(e *entry[K], class class) {
	switch {
	case !e.awaits():
		e.class = class
	case class > e.class:
		c.move(e, class)
	}
}

// move gives what is pending another class.
func (c *core[K]) move(e *entry[K], class class) {
	queued := e.queued() && c.ready.order == nil
	if queued {
		c.ready.remove(e)
	}
	c.countPending(e, -1)
	e.class = class
	c.countPending(e, 1)
	if queued {
		c.ready.push(e)
	}
}

func (c *core[K]) countPending(e *entry[K], change int) {
	if e.scheduled {
		c.count(e, inDelayed, e.class, change)
	}
	switch {
	case e.queued():
		c.count(e, inReady, e.class, change)
	case e.pending == parked && !e.running:
		c.count(e, inParked, e.class, change)
	}
}

// rest remembers an entry for which nothing is left to do.
func (c *core[K]) rest(e *entry[K]) {
	if e.active() {
		return
	}
	e.class = normalClass
	if e.extra != nil {
		e.extra.triggers = nil
	}
	c.table.retire(e)
}

// forget ends the series of failures of an entry.
func (c *core[K]) forget(e *entry[K]) {
	if e.failures > 0 || c.pacer == nil {
		c.limiter.Forget(e.key)
	}
	e.failures = 0
	if e.extra != nil {
		e.extra.lastErr = nil
	}
}
