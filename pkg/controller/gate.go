package controller

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"

	"github.com/sluice-k8s/sluice/pkg/controller/internal/answer"
	"github.com/sluice-k8s/sluice/pkg/controller/internal/breaker"
)

// A Breaker says when a controller slows down because the API server refuses to serve, see [Refused]: then no key is handed
// out for a while, then one, and if that goes well all others. If that one takes as long again there is one more. The zero
// value works.
type Breaker struct {
	// Threshold is how many reconciles must be refused within the Window, without one in between that has written something
	// or got another answer. Defaults to 5; negative turns the breaker off.
	Threshold int
	// Window defaults to 30 s.
	Window time.Duration
	// MinWait and MaxWait bound the time in which no key is handed out. It doubles each time that the server goes on refusing;
	// a longer one that the server asks for counts, up to [MaxRetryAfter]. They default to 1 s and 30 s, or MinWait if that
	// is more.
	MinWait, MaxWait time.Duration
}

func (b Breaker) withDefaults() Breaker {
	b.Threshold = cmp.Or(b.Threshold, 5)
	b.Window = cmp.Or(b.Window, 30*time.Second)
	b.MinWait = cmp.Or(b.MinWait, time.Second)
	b.MaxWait = cmp.Or(b.MaxWait, max(b.MinWait, 30*time.Second))
	return b
}

func (b Breaker) validate() error {
	switch {
	case b.Window < 0:
		return fmt.Errorf("the Window is %v; it must be positive, or 0 for the default", b.Window)
	case b.MinWait < 0:
		return fmt.Errorf("the MinWait is %v; it must be positive, or 0 for the default", b.MinWait)
	case b.MaxWait < 0 || b.MaxWait > 0 && b.MaxWait < b.MinWait:
		return fmt.Errorf("the MaxWait is %v; it must be MinWait, %v, or more, or 0 for the default", b.MaxWait, b.MinWait)
	}
	return nil
}

// A gate lets workers pass that want to take a key, while the breaker is closed.
type gate struct {
	clock clock.WithTicker
	off   bool
	calm  atomic.Bool // closed, and no refusals are counted

	mu      sync.Mutex
	breaker *breaker.Breaker
	changed chan struct{} // closed when the state changes
	reason  error         // why it is not closed
	opened  int
}

func newGate(config Breaker, clk clock.WithTicker) *gate {
	g := &gate{
		clock:   clk,
		off:     config.Threshold < 0,
		breaker: breaker.New(breaker.Config(config)),
		changed: make(chan struct{}),
	}
	g.calm.Store(true)
	return g
}

// pass waits until a worker may take a key, and says whether that is a trial. It returns false when the context is done
// first.
func (g *gate) pass(ctx context.Context) (trial, ok bool) {
	for !g.calm.Load() {
		pass, wait, changed := g.admit()
		if pass != breaker.None {
			return pass == breaker.ATrial, true
		}
		if !g.wait(ctx, wait, changed) {
			return false, false
		}
	}
	return false, true
}

// isCalm says whether there is nothing to ask before a worker takes a key.
func (g *gate) isCalm() bool { return g.calm.Load() }

// isShut says whether a worker must not go on that has passed before, unless for a trial.
func (g *gate) isShut() bool {
	if g.calm.Load() {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.breaker.State() != breaker.Closed
}

func (g *gate) admit() (pass breaker.Pass, wait time.Duration, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	if g.breaker.IsCalm(now) {
		g.calm.Store(true)
	}
	pass, wait = g.breaker.Admit(now)
	return pass, wait, g.changed
}

// wait waits for a time, if it is not 0, or for a change.
func (g *gate) wait(ctx context.Context, wait time.Duration, changed <-chan struct{}) bool {
	var over <-chan time.Time
	if wait > 0 {
		timer := g.clock.NewTimer(wait)
		defer timer.Stop()
		over = timer.C()
	}
	select {
	case <-over:
		return true
	case <-changed:
		return true
	case <-ctx.Done():
		return false
	}
}

// begin notes that a key was found for a trial, or does nothing if it is none.
func (g *gate) begin(trial bool) {
	if trial {
		g.change((*breaker.Breaker).Begin)
	}
}

// giveUp notes that there was no key for a trial.
func (g *gate) giveUp(trial bool) {
	if trial {
		g.change(func(b *breaker.Breaker, _ time.Time) bool { return b.GiveUp() })
	}
}

// unknown notes a trial that did not show whether the server refuses.
func (g *gate) unknown(trial bool) {
	if trial {
		g.change((*breaker.Breaker).Unknown)
	}
}

func (g *gate) change(how func(b *breaker.Breaker, now time.Time) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if how(g.breaker, g.clock.Now()) {
		g.tellLocked()
	}
}

// answered notes a run that the server has answered.
func (g *gate) answered(run logging) {
	if g.calm.Load() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.breaker.Answered() {
		run.logger().Info("The API server answers again, going on at full speed")
		g.tellLocked()
	}
	g.calm.Store(true)
}

// refused notes a run that the server has refused.
func (g *gate) refused(run logging, reason error) {
	if g.off {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calm.Store(false)
	now := g.clock.Now()
	asked, _ := answer.RetryAfter(reason)
	if !g.breaker.Refused(now, asked) {
		return
	}
	g.reason = reason
	g.opened++
	run.logger().Info("The API server refuses, slowing down", "err", reason, "wait", g.breaker.Until().Sub(now))
	g.tellLocked()
}

func (g *gate) tellLocked() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// status returns how often nothing was handed out for a while, and why it is so now, if it is.
func (g *gate) status() (opened int, reason error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.breaker.State() == breaker.Closed {
		return g.opened, nil
	}
	return g.opened, g.reason
}
