package queuetest

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// pacerChecks returns the checks of limiters that are Pacers.
func pacerChecks(s limiterSubject) []check {
	return []check{
		{"Wait changes nothing", s.waitChanges},
		{"When is counting, Wait and Spend", s.whenDiffers},
		{"Wait and Spend leave counting to the caller", s.pacerCounts},
		{"Wait does not overflow", s.overflows},
		{"the clock may step back", s.trustsClock},
	}
}

func (s limiterSubject) newPacer() queue.Pacer[string] {
	return s.newLimiter().(queue.Pacer[string])
}

// waitChanges compares a limiter that is asked a lot with one that is not asked.
func (s limiterSubject) waitChanges() error {
	if s.random() {
		return nil
	}
	asked, other := s.newPacer(), s.newPacer()
	for i, step := range scenario() {
		for _, failures := range []int{1, 7, 1} {
			for _, key := range []string{"a", "b", "new"} {
				asked.Wait(key, failures, time.Now())
			}
		}
		if once, twice := asked.Wait("a", 2, time.Now()), asked.Wait("a", 2, time.Now()); once != twice {
			return fmt.Errorf("Wait says %v, and %v when asked again", once, twice)
		}
		if got, want := step.play(asked), step.play(other); got != want {
			return fmt.Errorf("step %d: after calls of Wait, When says %v; without them %v", i, got, want)
		}
		elapse(step.pause)
	}
	return nil
}

// whenDiffers plays the scenario with a limiter that stands alone, and with one whose caller counts.
func (s limiterSubject) whenDiffers() error {
	if s.random() {
		return nil
	}
	alone, paced := s.newLimiter(), s.newPacer()
	failures := make(map[string]int)
	for i, step := range scenario() {
		var want time.Duration
		if step.forget {
			failures[step.key] = 0
			paced.Forget(step.key)
		} else {
			failures[step.key]++
			want = paced.Wait(step.key, failures[step.key], time.Now())
			paced.Spend(step.key, time.Now())
		}
		if got := step.play(alone); got != want {
			return fmt.Errorf("step %d: failure %d of %s waits %v by When, %v by Wait", i, failures[step.key], step.key, got, want)
		}
		elapse(step.pause)
	}
	return nil
}

func (s limiterSubject) pacerCounts() error {
	pacer := s.newPacer()
	fail(pacer, "a", 2)
	for n := range 3 {
		for _, key := range []string{"a", "b"} {
			pacer.Wait(key, n+1, time.Now())
			pacer.Spend(key, time.Now())
		}
	}
	if err := s.expect(pacer, "a", 2); err != nil {
		return fmt.Errorf("after Wait and Spend: %w", err)
	}
	if err := s.expect(pacer, "b", 0); err != nil {
		return fmt.Errorf("after nothing but Wait and Spend: %w", err)
	}
	return nil
}

func (s limiterSubject) overflows() error {
	pacer := s.newPacer()
	now := time.Now()
	failures := []int{1_000_000, math.MaxInt32, math.MaxInt - 1, math.MaxInt}
	for n := range 2000 { // integers that double overflow after 63, and floats after 1023
		failures = append(failures, n+1)
	}
	for _, n := range failures {
		if wait := pacer.Wait("a", n, now); wait < 0 {
			return fmt.Errorf("failure %d waits %v, want 0 or more", n, wait)
		}
	}
	for n := range 10_000 {
		pacer.Spend("a", now)
		if wait := pacer.Wait("a", 1, now); wait < 0 {
			return fmt.Errorf("after Spend was called %d times the wait is %v, want 0 or more", n+1, wait)
		}
	}
	return nil
}

// trustsClock asks at times before those of what was spent, as callers may who read the clock concurrently.
func (s limiterSubject) trustsClock() error {
	pacer := s.newPacer()
	now := time.Now()
	for n := range 100 {
		at := now.Add(time.Duration(n%3) * time.Minute)
		if wait := pacer.Wait("a", 1, at); wait < 0 {
			return fmt.Errorf("at a time before one that was spent at, the wait is %v, want 0 or more", wait)
		}
		pacer.Spend("a", at)
	}
	return nil
}

// A step is a failure of a key or its success, and a pause after it.
type step struct {
	key    string
	forget bool
	pause  time.Duration
}

// scenario returns failures of some keys, at once and over time, with successes between.
func scenario() []step {
	var steps []step
	for round := range 40 {
		pause := time.Duration(round%7) * 150 * time.Millisecond
		steps = append(steps, step{key: "a"}, step{key: "b", pause: pause}, step{key: "a"})
		if round%9 == 8 {
			steps = append(steps, step{key: "a", forget: true, pause: pause})
		}
	}
	return steps
}

// play returns the wait of a failure.
func (s step) play(limiter queue.RateLimiter[string]) time.Duration {
	if s.forget {
		limiter.Forget(s.key)
		return 0
	}
	return limiter.When(s.key)
}

// random returns whether two new limiters differ, as those do that draw their waits.
func (s limiterSubject) random() bool {
	var waits [2][]time.Duration
	for i := range waits {
		limiter := s.newLimiter()
		for _, step := range scenario() {
			waits[i] = append(waits[i], step.play(limiter))
		}
	}
	return !slices.Equal(waits[0], waits[1])
}
