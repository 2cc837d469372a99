package protocol

import "time"

// A Machine decides the next request from the outcome of the last. The zero value is ready for [Machine.First]. It is for
// one goroutine.
type Machine struct {
	version  string // the newest that was seen; empty for the most recent there is
	newest   bool   // do not name a version in the next request for all objects
	whole    bool   // do not cut the next list into pages
	afresh   bool   // versions have gone back, and not all objects have come since
	cause    Cause  // of the last request for all objects
	again    bool   // it was asked for before
	failures int    // endings in a row without progress
	last     Ending // of the last outcome
	row      int    // how often in a row it was that
}

// A Request is what to ask next.
type Request struct {
	Mode  Mode
	Cause Cause // why, if all objects are asked for
	Again bool  // for this cause they have been asked for before, in vain
	// Version is where a watch begins, and what a list must not be older than. Empty means the most recent.
	Version string
	// Whole says that the list must not be cut into pages.
	Whole bool
	// Afresh says that the versions have gone back since all objects came, so that those that are known mean nothing.
	Afresh bool
	// Wait is the number of the wait before the request, 0 for none; waits grow with the number.
	Wait int
	// RetryAfter is what the server has asked to wait.
	RetryAfter time.Duration
}

// An Outcome is how a request ended.
type Outcome struct {
	Mode   Mode // of the request; never Refresh. A WatchList that has brought all objects is a Watch from then on.
	Ending Ending
	// Version is the newest that came, empty if none.
	Version string
	// Progress says that a watch has brought something, or lasted long.
	Progress   bool
	RetryAfter time.Duration
}

// First returns the request to begin with.
func (m *Machine) First() Request {
	m.cause = Start
	return m.refresh(Refresh, 0)
}

// Version returns the newest version that was seen.
func (m *Machine) Version() string { return m.version }

// Failures returns how many outcomes in a row made no progress.
func (m *Machine) Failures() int { return m.failures }

// Next returns the request that follows an outcome.
func (m *Machine) Next(o Outcome) Request {
	m.note(o)
	request := m.follow(RuleFor(o.Mode, o.Ending), o.Progress)
	request.RetryAfter = o.RetryAfter
	return request
}

func (m *Machine) note(o Outcome) {
	if o.Version != "" {
		m.version = o.Version
	}
	if o.Progress {
		m.failures, m.row = 0, 0
	}
	if o.Ending != m.last {
		m.row = 0
	}
	m.last = o.Ending
	m.row++
	if o.Mode == Watch || o.Mode == List && o.Ending == Complete { // all objects have come
		m.newest, m.whole, m.afresh = false, false, false
	}
	m.afresh = m.afresh || o.Ending == Behind
}

func (m *Machine) follow(r Rule, progress bool) Request {
	next, cause := r.Next, r.Cause
	if r.After > 0 && m.row >= r.After {
		next, cause = r.Then, r.ThenCause
		m.row = 0
	}
	m.newest = m.newest || r.Newest
	m.whole = m.whole || r.Whole
	m.again = cause == repeat
	if !m.again {
		m.cause = cause
	}
	wait := m.wait(r.Wait, progress)
	switch next {
	case Watch:
		return Request{Mode: Watch, Version: m.version, Wait: wait}
	case Probe:
		return Request{Mode: Probe, Wait: wait}
	default:
		return m.refresh(next, wait)
	}
}

func (m *Machine) refresh(mode Mode, wait int) Request {
	request := Request{Mode: mode, Cause: m.cause, Again: m.again, Version: m.version, Whole: m.whole, Afresh: m.afresh, Wait: wait}
	if m.newest {
		request.Version = ""
	}
	return request
}

// wait counts an ending without progress, if it calls for a wait, and returns the number of the wait.
func (m *Machine) wait(w Wait, progress bool) int {
	switch {
	case w == Growing:
		m.failures++
		return m.failures
	case w == GrowingLater && !progress:
		m.failures++
		return m.failures - 1
	default:
		return 0
	}
}
