package queue_test

import (
	"slices"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func (m *model) Done(key string) {
	if r := m.record(key); r.running {
		m.end(r)
	}
}

// Finish ends a run, if it is not over already.
func (m *model) Finish(key string, run int, v verdict) {
	r := m.record(key)
	if !r.running || r.run != run {
		return
	}
	switch {
	case v.kind == success:
		m.succeed(r, v.after)
	case !m.closed:
		m.fail(r, v)
	}
	m.end(r)
}

// succeed is a plain success, or with any delay one that asks for another run.
func (m *model) succeed(r *record, after time.Duration) {
	m.forget(r)
	if after == 0 {
		return
	}
	m.raise(r, min(r.runClass, queue.Normal))
	if m.closed || r.pending == queue.Ready {
		return
	}
	m.note(r, "requeue")
	if after < 0 {
		m.makeReady(r)
	} else {
		m.delay(r, m.now.Add(after))
	}
}

func (m *model) fail(r *record, v verdict) {
	r.failures++
	r.lastErr = v.err
	newer := r.triggers
	r.triggers = slices.Clone(r.consumed)
	m.note(r, "retry")
	r.triggers = append(r.triggers, newer...)
	r.class = max(r.class, r.runClass)
	parks := v.kind == park || m.config.MaxRetries != 0 && r.failures > max(0, m.config.MaxRetries)
	wait := v.after
	if v.kind == retry && !parks && !r.firm {
		wait = m.config.backOff(r)
	}
	m.withdraw(r)
	switch {
	case parks && !r.awaits():
		r.pending = queue.Parked
	case parks: // as if it had been parked and added then
		m.forget(r)
	case r.pending != queue.Ready:
		m.retryAfter(r, wait)
	}
}

// withdraw leaves of what is pending only what was asked for with Add, AddAfter or Now. Everything else becomes part of
// the retry.
func (m *model) withdraw(r *record) {
	if r.scheduled && !r.promised {
		m.unschedule(r)
	}
	if r.pending == queue.Ready && !r.firm {
		r.pending = ""
	}
}

// end ends a run. What is pending by then takes its course.
func (m *model) end(r *record) {
	r.running = false
	m.running = without(m.running, r)
	switch r.pending {
	case queue.Ready:
		r.readyAt = m.now
		m.enqueue(r)
	case queue.Parked:
		r.parkedAt = m.now
		m.parked = append(m.parked, r)
	case "":
		m.rest(r)
	}
}

// rest is when there is nothing left to do.
func (m *model) rest(r *record) {
	if !r.awaits() && !r.running {
		r.class, r.triggers = queue.Normal, nil
	}
}
