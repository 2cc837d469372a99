package queuetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// TestRateLimiter checks that the limiters that newLimiter returns conform to [queue.RateLimiter], and to [queue.Pacer]
// if they have its methods.
//
// Each check runs in a bubble of package testing/synctest, where the time stands still unless the check lets it pass.
// So a limiter must go by [time.Now], or by no clock, and must leave no goroutine behind. It must remember the last ten
// keys. Where waits are random only what holds for any of them is checked.
func TestRateLimiter(t *testing.T, newLimiter func() queue.RateLimiter[string]) {
	t.Helper()
	for _, check := range rateLimiterChecks(newLimiter) {
		t.Run(check.promise, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if err := check.broken(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A check tells whether a promise is broken, by an error that says how.
type check struct {
	promise string
	broken  func() error
}

// rateLimiterChecks returns the checks that apply to these limiters. They run in a bubble each.
func rateLimiterChecks(newLimiter func() queue.RateLimiter[string]) []check {
	subject := limiterSubject{newLimiter}
	checks := []check{
		{"each limiter is new", subject.sharesCounts},
		{"a wait is never negative", subject.waitsNegative},
		{"When counts", subject.miscounts},
		{"each key counts alone", subject.mixesKeys},
		{"Forget ends the count", subject.remembersCount},
		{"Forget ends the series of failures", subject.remembersWait},
		{"an unknown key has no failures", subject.knowsUnknownKeys},
		{"calls may be concurrent", subject.losesConcurrentCounts},
	}
	if _, ok := newLimiter().(queue.Pacer[string]); ok {
		checks = append(checks, pacerChecks(subject)...)
	}
	return checks
}

// A limiterSubject makes the limiters under test.
type limiterSubject struct {
	newLimiter func() queue.RateLimiter[string]
}

// sharesCounts comes first: the other checks mean nothing if the limiters are one.
func (s limiterSubject) sharesCounts() error {
	fail(s.newLimiter(), "a", 3)
	if got := s.newLimiter().NumRequeues("a"); got != 0 {
		return fmt.Errorf("newLimiter returns a limiter by which a key failed %d times; it must make a new one each time", got)
	}
	return nil
}

func (s limiterSubject) waitsNegative() error {
	limiter := s.newLimiter()
	for n := range 10_000 {
		for _, key := range []string{"a", "b"} {
			if wait := limiter.When(key); wait < 0 {
				return fmt.Errorf("failure %d of %s waits %v, want 0 or more", n+1, key, wait)
			}
		}
	}
	return nil
}

func (s limiterSubject) miscounts() error {
	limiter := s.newLimiter()
	for n := range 100 {
		if err := s.expect(limiter, "a", n); err != nil {
			return err
		}
		limiter.When("a")
	}
	return nil
}

func (s limiterSubject) mixesKeys() error {
	limiter := s.newLimiter()
	fail(limiter, "a", 3)
	fail(limiter, "b", 2)
	if err := errors.Join(s.expect(limiter, "a", 3), s.expect(limiter, "b", 2)); err != nil {
		return err
	}
	limiter.Forget("a")
	return errors.Join(s.expect(limiter, "a", 0), s.expect(limiter, "b", 2))
}

func (s limiterSubject) remembersCount() error {
	limiter := s.newLimiter()
	for range 3 {
		fail(limiter, "a", 5)
		if err := s.expect(limiter, "a", 5); err != nil {
			return err
		}
		limiter.Forget("a")
		if err := s.expect(limiter, "a", 0); err != nil {
			return fmt.Errorf("after Forget: %w", err)
		}
	}
	return nil
}

// remembersWait lets so much time pass after Forget that all that was spent has come back: then nothing is left of the
// failures.
func (s limiterSubject) remembersWait() error {
	if s.random() {
		return nil
	}
	limiter := s.newLimiter()
	fail(limiter, "a", 10)
	limiter.Forget("a")
	elapse(years)
	fresh := s.newLimiter()
	for n := range 5 {
		if got, want := limiter.When("a"), fresh.When("a"); got != want {
			return fmt.Errorf("years after Forget, failure %d of a key waits %v; that of a new key %v", n+1, got, want)
		}
	}
	return nil
}

func (s limiterSubject) knowsUnknownKeys() error {
	limiter := s.newLimiter()
	limiter.Forget("unknown")
	if err := s.expect(limiter, "unknown", 0); err != nil {
		return err
	}
	fail(limiter, "a", 3)
	limiter.Forget("unknown")
	err := errors.Join(s.expect(limiter, "unknown", 0), s.expect(limiter, "a", 3))
	fail(limiter, "unknown", 1)
	return errors.Join(err, s.expect(limiter, "unknown", 1))
}

// losesConcurrentCounts is of most use under the race detector.
func (s limiterSubject) losesConcurrentCounts() error {
	const each = 200
	limiter := s.newLimiter()
	own := []string{"a", "b", "c", "d"}
	var all sync.WaitGroup
	for _, key := range own {
		all.Go(func() { useAll(limiter, key, each) })
	}
	all.Wait()
	err := s.expect(limiter, "shared", each*len(own))
	for _, key := range own {
		err = errors.Join(err, s.expect(limiter, key, each))
	}
	return err
}

// useAll calls every method. In the end its own key and the shared one have failed as often as it says, and the passing
// one has not.
func useAll(limiter queue.RateLimiter[string], own string, failures int) {
	pacer, isPacer := limiter.(queue.Pacer[string])
	for n := range failures {
		limiter.When(own)
		limiter.When("shared")
		limiter.When("passing")
		limiter.NumRequeues("shared")
		limiter.Forget("passing")
		if isPacer {
			now := time.Now()
			pacer.Wait("shared", n+1, now)
			pacer.Spend("shared", now)
		}
	}
}

// expect returns an error if the key has not failed so often, or at all with limiters that do not count.
func (s limiterSubject) expect(limiter queue.RateLimiter[string], key string, failures int) error {
	if !s.counts() {
		failures = 0
	}
	if got := limiter.NumRequeues(key); got != failures {
		return fmt.Errorf("NumRequeues(%q) is %d, want %d", key, got, failures)
	}
	return nil
}

// counts returns whether these limiters count failures. Those who don't say 0.
func (s limiterSubject) counts() bool {
	limiter := s.newLimiter()
	limiter.When("a")
	return limiter.NumRequeues("a") != 0
}

func fail(limiter queue.RateLimiter[string], key string, times int) {
	for range times {
		limiter.When(key)
	}
}

// years is long enough for any supply to come back.
const years = 10 * 365 * 24 * time.Hour

// elapse lets time pass in a bubble, where it is no waiting.
func elapse(d time.Duration) { <-time.After(d) }
