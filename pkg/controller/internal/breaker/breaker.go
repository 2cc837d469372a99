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
	since    time.Time     // of the first of the refusals
	wait     time.Duration // how long it was open the last time
	until    time.Time     // when it lets the next trial pass; zero while one has yet to begin
}

// State is what a Breaker lets pass.
type State uint8

// The states.
const (
	Closed   State = iota // everything
	Open                  // nothing until a time
	HalfOpen              // a trial is under way, and nothing else unless it takes long
)

// A Pass is the answer to who asks to be admitted.
type Pass uint8

// The passes.
const (
	None   Pass = iota // ask again
	Any                // go on
	ATrial             // go on and call Begin, and Answered, Refused or Unknown, or GiveUp
)

// New returns a Breaker that is closed.
func New(config Config) *Breaker { return &Breaker{config: config} }

// State returns what the breaker lets pass.
func (b *Breaker) State() State { return b.state }

// IsCalm says whether the breaker is closed, and no refusal counts any more.
func (b *Breaker) IsCalm(now time.Time) bool {
	return b.state == Closed && (b.refusals == 0 || now.Sub(b.since) > b.config.Window)
}

// Until returns when a breaker that is open lets a trial pass.
func (b *Breaker) Until() time.Time { return b.until }

// Admit asks to pass. Who gets no pass should ask again after the wait, or when told of a change if that is 0.
func (b *Breaker) Admit(now time.Time) (pass Pass, wait time.Duration) {
	switch {
	case b.state == Closed:
		return Any, 0
	case b.state == HalfOpen && b.until.IsZero():
		return None, 0
	case now.Before(b.until):
		return None, b.until.Sub(now)
	}
	b.state, b.until = HalfOpen, time.Time{}
	return ATrial, 0
}

// Begin says that a trial begins. If it takes longer than the breaker was open there is another, so one that never ends
// keeps nobody else from going on. Begin says whether others should ask again.
func (b *Breaker) Begin(now time.Time) bool {
	if b.state != HalfOpen {
		return false
	}
	b.until = now.Add(b.wait)
	return true
}

// GiveUp says that a trial does not take place. It says whether the state has changed: then the next one is due.
func (b *Breaker) GiveUp() bool {
	if b.state != HalfOpen {
		return false
	}
	b.state = Open
	return true
}

// Answered says that the server has done what it was asked to. It says whether the state has changed.
func (b *Breaker) Answered() bool {
	b.refusals, b.wait = 0, 0
	changed := b.state != Closed
	b.state = Closed
	return changed
}

// Unknown says that a trial did not show whether the server refuses. It says whether the state has changed: a trial that
// went well is a good sign.
func (b *Breaker) Unknown(now time.Time) bool {
	if b.state != HalfOpen {
		return false
	}
	b.state, b.refusals, b.since = Closed, b.config.Threshold-1, now // one more refusal soon opens it again
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
