package queue_test

import (
	"slices"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// Take hands out the next key. It returns nil if none is ready.
func (m *model) Take() *record {
	if len(m.ready) == 0 {
		return nil
	}
	r := m.next()
	m.leave(r)
	m.runs++
	r.running, r.run, r.runClass, r.startedAt = true, m.runs, r.class, m.now
	r.consumed, r.triggers = r.triggers, nil
	r.pending, r.firm = "", false
	m.running = append(m.running, r)
	return r
}

// next returns the first key of the tenant whose turn it is, in the class whose turn it is.
func (m *model) next() *record {
	if m.config.order != noOrder {
		return m.ready[0]
	}
	class := m.nextClass()
	tenant := m.turns[class][0]
	m.turns[class] = append(m.turns[class][1:], tenant)
	return m.waiting(class, tenant)[0]
}

// nextClass returns the highest class, or of those that were overtaken too often the one that was most often, and of
// two such the lower.
func (m *model) nextClass() queue.Priority {
	classes := m.classes()
	served, most := classes[0], m.config.maxOvertakes()
	for _, class := range classes {
		if m.overtaken[class] >= most {
			served, most = class, m.overtaken[class]
		}
	}
	for _, class := range classes {
		m.overtaken[class]++
	}
	m.overtaken[served] = 0
	return served
}

// classes returns the classes that have ready keys, from the highest.
func (m *model) classes() []queue.Priority {
	var classes []queue.Priority
	for class := queue.Urgent; class >= queue.Background; class-- {
		if len(m.turns[class]) > 0 {
			classes = append(classes, class)
		}
	}
	return classes
}

// waiting returns the ready keys of a tenant in a class, the oldest first.
func (m *model) waiting(class queue.Priority, tenant string) []*record {
	var waiting []*record
	for _, r := range m.ready {
		if r.class == class && m.config.tenant(r.key) == tenant {
			waiting = append(waiting, r)
		}
	}
	return waiting
}

// enqueue lets a ready key wait for a worker. A tenant that had none in the class comes after the others.
func (m *model) enqueue(r *record) {
	m.ready = append(m.ready, r)
	if tenant := m.config.tenant(r.key); !slices.Contains(m.turns[r.class], tenant) {
		m.turns[r.class] = append(m.turns[r.class], tenant)
	}
}

// leave is the end of waiting for a worker.
func (m *model) leave(r *record) {
	m.ready = without(m.ready, r)
	tenant := m.config.tenant(r.key)
	if len(m.waiting(r.class, tenant)) == 0 {
		m.turns[r.class] = without(m.turns[r.class], tenant)
	}
	if len(m.turns[r.class]) == 0 {
		m.overtaken[r.class] = 0
	}
}

// touch tells an order that a key that waits for a worker was added again.
func (m *model) touch(r *record) {
	if m.config.order == touchedFirst && !r.running {
		m.ready = slices.Insert(without(m.ready, r), 0, r)
	}
}

// raise gives the pending run the class if it is higher. In its new class it comes after those that are there.
func (m *model) raise(r *record, class queue.Priority) {
	switch queued := r.pending == queue.Ready && !r.running; {
	case r.awaits() && class <= r.class:
	case queued && m.config.order == noOrder:
		m.leave(r)
		r.class = class
		m.enqueue(r)
	default:
		r.class = class
	}
}

// runNow makes the key ready, whatever it waits for and whatever becomes of the run before.
func (m *model) runNow(r *record) {
	if r.pending == queue.Ready {
		m.touch(r)
	}
	m.unpark(r)
	m.makeReady(r)
	r.firm = true
}

func (m *model) makeReady(r *record) {
	if r.pending == queue.Ready {
		return
	}
	if r.promised {
		r.wait = queue.WaitDelay
	} else {
		m.unschedule(r)
	}
	m.makeReadyAt(r, m.now)
}

func (m *model) makeReadyAt(r *record, at time.Time) {
	r.pending, r.readyAt = queue.Ready, at
	if !r.running {
		m.enqueue(r)
	}
}

// unpark is when somebody asks for a run of a parked key: it begins as if it had never failed.
func (m *model) unpark(r *record) {
	if r.pending == queue.Parked {
		m.parked = without(m.parked, r)
		r.pending = ""
		m.forget(r)
	}
}

// delay lets the key wait until it is due, unless its time comes earlier without that.
func (m *model) delay(r *record, due time.Time) {
	switch {
	case !r.scheduled:
		m.schedule(r, due, queue.WaitDelay)
	case due.Before(r.due) && r.inBackOff():
		m.schedule(r, due, queue.WaitBackOff)
	case due.Before(r.due):
		m.schedule(r, due, queue.WaitDelay)
	default:
		r.latest = earliest(r.latest, due)
	}
}

func (m *model) schedule(r *record, due time.Time, wait queue.Wait) {
	m.times++
	r.scheduled, r.due, r.wait, r.order = true, due, wait, m.times
}

func (m *model) unschedule(r *record) { r.scheduled, r.promised = false, false }

// backOff lets the key wait for its retry, as long as the rate limiter says.
func (m *model) backOff(r *record) { m.retryAfter(r, m.config.backOff(r)) }

// retryAfter lets the key wait for its retry. If its time comes earlier without that, that is its retry.
func (m *model) retryAfter(r *record, wait time.Duration) {
	due := m.now.Add(max(0, wait))
	switch {
	case r.scheduled && !due.Before(r.due):
		r.wait = queue.WaitBackOff
	case wait > 0:
		m.schedule(r, due, queue.WaitBackOff)
	default:
		m.makeReady(r)
	}
}

func (r *record) inBackOff() bool { return r.scheduled && r.wait == queue.WaitBackOff }

// note is trigger for what the queue does itself.
func (m *model) note(r *record, cause string) {
	m.trigger(r, queue.Trigger{Source: "queue", Cause: cause})
}

func (m *model) trigger(r *record, trigger queue.Trigger) {
	if m.config.Triggers == 0 {
		return
	}
	if trigger.At.IsZero() {
		trigger.At = m.now
	}
	r.triggers = append(r.triggers, trigger)
}

// earliest returns the earlier of two times, of which zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func without[T comparable](items []T, item T) []T {
	return slices.DeleteFunc(slices.Clone(items), func(other T) bool { return other == item })
}
