package queue_test

import (
	"cmp"
	"slices"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A model is the queue as its documentation has it, for one caller: a record for each key, and lists that are searched
// from end to end. Its methods are those of [queue.Queue]:
//
//	model_test.go          how a key comes to have a pending run, and how that ends without being run
//	model_outcome_test.go  what follows from the outcome of a run
//	model_order_test.go    which key comes next
//	model_view_test.go     what can be seen of it
//
// The others compare it with the queue: model_ops_test.go chooses a config and arguments, model_run_test.go makes the
// same calls of both, model_compare_test.go looks at both.
type model struct {
	config  modelConfig
	now     time.Time
	closed  bool
	records []*record // of all keys that were ever added
	times   int       // how often a record was scheduled
	runs    int

	ready     []*record // those that wait for a worker, in the order in which they came
	running   []*record // in the order in which they were taken
	parked    []*record // in the order in which they were parked
	turns     map[queue.Priority][]string
	overtaken map[queue.Priority]int
}

// A record is what there is to know of one key: the run that is running, and what is pending.
type record struct {
	key      string
	failures int // in a row
	limited  int // what a limiter that counts itself has counted
	lastErr  error

	running   bool
	run       int // which
	runClass  queue.Priority
	startedAt time.Time
	consumed  []queue.Trigger // of the run

	pending  queue.State    // Ready, Parked, or empty
	class    queue.Priority // of what is pending, or else of the last run
	firm     bool           // the failure of the run before does not put off that it is ready
	triggers []queue.Trigger
	readyAt  time.Time
	parkedAt time.Time

	scheduled bool // waits for its time, also while it is ready if that was promised
	promised  bool // by AddAfter
	due       time.Time
	order     int // of two that are due at the same time the lower comes first
	wait      queue.Wait

	hot       bool      // an event was seen
	lastEvent time.Time // when
	latest    time.Time // a run that waits for quiet comes no later
}

func newModel(config modelConfig, now time.Time) *model {
	return &model{config: config, now: now, turns: map[queue.Priority][]string{}, overtaken: map[queue.Priority]int{}}
}

func (m *model) record(key string) *record {
	for _, r := range m.records {
		if r.key == key {
			return r
		}
	}
	r := &record{key: key}
	m.records = append(m.records, r)
	return r
}

func (m *model) Add(key string) {
	if m.closed {
		return
	}
	r := m.record(key)
	m.note(r, "Add")
	m.raise(r, queue.Normal)
	m.runNow(r)
}

func (m *model) AddAfter(key string, delay time.Duration) {
	if delay <= 0 {
		m.Add(key)
		return
	}
	if m.closed {
		return
	}
	r := m.record(key)
	m.note(r, "AddAfter")
	m.unpark(r)
	m.delay(r, m.now.Add(delay))
	r.promised = true
}

func (m *model) AddRateLimited(key string) {
	if m.closed {
		return
	}
	r := m.record(key)
	m.note(r, "retry")
	m.unpark(r)
	r.failures++
	if r.pending != queue.Ready && !r.inBackOff() {
		m.backOff(r)
	}
}

func (m *model) AddWith(key string, options queue.AddOptions) {
	if m.closed {
		return
	}
	r := m.record(key)
	m.trigger(r, options.Trigger)
	m.raise(r, min(max(options.Priority, queue.Background), queue.Urgent))
	hot := m.noteEvent(r)
	switch {
	case options.Now:
		m.runNow(r)
	case r.pending == queue.Ready:
		m.touch(r)
	case r.pending == queue.Parked, r.inBackOff():
	case options.Delay > 0:
		m.delay(r, m.now.Add(options.Delay))
	case hot:
		m.awaitQuiet(r)
	default:
		m.makeReady(r)
	}
}

// noteEvent says whether the key is hot: whether the event before was less than Quiet ago.
func (m *model) noteEvent(r *record) bool {
	hot := r.hot && m.now.Sub(r.lastEvent) < m.config.HotKeys.Quiet
	r.hot, r.lastEvent = true, m.now
	return hot
}

// awaitQuiet waits for the end of the events, but no longer than it would without them.
func (m *model) awaitQuiet(r *record) {
	quiet := m.now.Add(m.config.HotKeys.Quiet)
	if r.scheduled && r.wait == queue.WaitQuiet {
		m.schedule(r, earliest(quiet, r.latest), queue.WaitQuiet)
		return
	}
	latest := m.now.Add(m.config.maxWait())
	if r.scheduled {
		latest = earliest(latest, r.due)
	}
	if !r.scheduled || quiet.Before(r.due) {
		r.latest = latest
		m.schedule(r, quiet, queue.WaitQuiet)
	}
}

func (m *model) Cancel(key string) bool {
	r := m.record(key)
	if !r.scheduled {
		return false
	}
	m.unschedule(r)
	if !r.awaits() {
		r.triggers = nil
		if r.running {
			r.class = r.runClass
		}
	}
	m.rest(r)
	return true
}

// awaits says whether anything is pending.
func (r *record) awaits() bool { return r.pending != "" || r.scheduled }

func (m *model) Forget(key string) { m.forget(m.record(key)) }

func (m *model) forget(r *record) { r.failures, r.limited, r.lastErr = 0, 0, nil }

func (m *model) Replay(key string) bool {
	r := m.record(key)
	if r.pending != queue.Parked {
		return false
	}
	m.note(r, "replay")
	m.runNow(r)
	return true
}

func (m *model) ReplayAll() int {
	all := slices.Clone(m.parked)
	for _, r := range all {
		m.Replay(r.key)
	}
	return len(all)
}

func (m *model) Drop(key string) bool {
	r := m.record(key)
	if r.pending != queue.Parked {
		return false
	}
	m.unpark(r)
	m.rest(r)
	return true
}

func (m *model) DropAll() int {
	all := slices.Clone(m.parked)
	for _, r := range all {
		m.Drop(r.key)
	}
	return len(all)
}

func (m *model) ShutDown() {
	m.closed = true
	for _, r := range m.records {
		m.Cancel(r.key)
	}
	m.DropAll()
}

// step lets time pass.
func (m *model) step(d time.Duration) {
	m.now = m.now.Add(d)
	for _, r := range m.delayed() {
		if r.due.After(m.now) {
			break
		}
		promised := r.promised
		m.unschedule(r)
		if r.pending == "" {
			m.makeReadyAt(r, r.due)
		}
		r.firm = r.firm || promised
		if promised && len(r.triggers) == 0 {
			m.trigger(r, queue.Trigger{Source: "queue", Cause: "AddAfter", At: r.due})
		}
	}
}

// delayed returns the records that wait for their time, by when they are due.
func (m *model) delayed() []*record {
	var delayed []*record
	for _, r := range m.records {
		if r.scheduled {
			delayed = append(delayed, r)
		}
	}
	slices.SortFunc(delayed, func(a, b *record) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.order, b.order))
	})
	return delayed
}
