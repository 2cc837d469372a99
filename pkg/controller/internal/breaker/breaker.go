package breaker

import "time"

// Config says when a Breaker opens, and for how long.
type Config struct {
	Threshold int           // so many refusals
	Window    time.Duration // within this time, without an answer in between, open it
	MinWait   time.Duration // for so long at first
	MaxWait   time.Duration // twice as long each time that the trial is refused, up to this
}

// A Breaker keeps work from a server that refuses it. It knows no clock: times are passed in, and never go back.
type Breaker struct {
	config Config

	state    State
	refusals int
	since    time.Time // of the first of the refusals
	wait     time.Duration
	until    time.Time // while it is open
}

// State is what a Breaker lets pass.
type State uint8

// The states.
const (
	Closed   State = iota // everything
	Open                  // nothing until a time
	HalfOpen              // one trial is under way, and nothing else
)

// New returns a Breaker that is closed.
func New(config Config) *Breaker { return &Breaker{config: config} }

// State returns what the breaker lets pass.
func (b *Breaker) State() State { return b.state }

// Until returns when a breaker that is open lets a trial pass.
func (b *Breaker) Until() time.Time { return b.until }

// Admit asks to pass. If it is refused, the caller should ask again after the wait, or when the state has changed if that is
// 0. Who is admitted must call Answered, Refused or Unknown.
func (b *Breaker) Admit(now time.Time) (admitted bool, wait time.Duration) {
	switch b.state {
	case HalfOpen:
		return false, 0
	case Open:
		if wait := b.until.Sub(now); wait > 0 {
			return false, wait
		}
		b.state = HalfOpen
	}
	return true, 0
}

// Answered says that the server has done what it was asked to. It says whether the state has changed.
func (b *Breaker) Answered() bool {
	b.refusals, b.wait = 0, 0
	changed := b.state != Closed
	b.state = Closed
	return changed
}

// Unknown says that the work did not show whether the server refuses. It says whether the state has changed: a trial that
// went well is a good sign.
func (b *Breaker) Unknown() bool {
	if b.state != HalfOpen {
		return false
	}
	b.state, b.refusals, b.since = Closed, b.config.Threshold-1, b.until // one more refusal soon opens it again
	return true
}

// Refused says that the server has refused, and asks for at least the wait. It says whether the state has changed.
func (b *Breaker) Refused(now time.Time, asked time.Duration) bool {
	switch b.state {
	case Open: // began before
		return false
	case Closed:
		if now.Sub(b.since) > b.config.Window {
			b.refusals, b.wait = 0, 0
		}
		if b.refusals == 0 {
			b.since = now
		}
		b.refusals++
		if b.refusals < b.config.Threshold {
			return false
		}
	}
	b.wait = min(max(b.config.MinWait, 2*b.wait), b.config.MaxWait)
	b.state, b.until = Open, now.Add(max(b.wait, asked))
	return true
}
