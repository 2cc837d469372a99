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

func (m *model) succeed(r *record, after time.Duration) {
	m.forget(r)
	if after > 0 && !m.closed && m.delay(r, m.now.Add(after), queue.WaitDelay) {
		m.note(r, "requeue")
	}
}

func (m *model) fail(r *record, v verdict) {
	r.failures++
	r.lastErr = v.err
	newer := r.triggers
	r.triggers = slices.Clone(r.consumed)
	m.note(r, "retry")
	r.triggers = append(r.triggers, newer...)
	m.withdraw(r)
	if !queue.KnownLowEventDemotesRetry {
		r.class = max(r.class, r.runClass)
	}
	tooOften := m.config.MaxRetries != 0 && r.failures > max(0, m.config.MaxRetries)
	switch {
	case v.kind != park && !tooOften:
		m.retry(r, v)
	case r.pending == "":
		r.pending = queue.Parked
	default: // as if it had been parked and added then
		m.forget(r)
	}
}

func (m *model) retry(r *record, v verdict) {
	switch {
	case r.pending == queue.Ready:
	case v.kind == retry:
		m.backOff(r)
	case v.after > 0:
		m.delay(r, m.now.Add(v.after), queue.WaitBackOff)
	default:
		m.makeReady(r)
	}
}

// withdraw leaves of the pending run what was asked for with Add, AddAfter or Now. Everything else becomes part of the
// retry.
func (m *model) withdraw(r *record) {
	switch {
	case r.asked.IsZero():
		r.pending = ""
	case r.asked.After(m.now) && (r.pending == queue.Ready || r.due != r.asked):
		m.schedule(r, r.asked, queue.WaitDelay)
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
	if r.pending == "" && !r.running {
		r.class, r.triggers = queue.Normal, nil
	}
}
