package queue_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

var errBroken = errors.New("broken")

// A pacerSpy lets a key wait a second for each failure, and notes what it is asked.
type pacerSpy struct {
	queue.RateLimiter[string] // nil: a queue that has a Pacer counts failures itself
	asked, spent              []time.Duration
	forgotten                 int
	clockStart                time.Time
}

func (s *pacerSpy) Wait(_ string, failures int, now time.Time) time.Duration {
	s.asked = append(s.asked, now.Sub(s.clockStart))
	return time.Duration(failures) * time.Second
}

func (s *pacerSpy) Spend(_ string, now time.Time) { s.spent = append(s.spent, now.Sub(s.clockStart)) }
func (s *pacerSpy) Forget(string)                 { s.forgotten++ }

func newSpiedRig(t *testing.T, config queue.Config[string]) (rig, *pacerSpy) {
	t.Helper()
	spy := &pacerSpy{}
	config.RateLimiter = spy
	r := newRig(t, config)
	spy.clockStart = r.clock.Now()
	return r, spy
}

func (s *pacerSpy) wantSpent(t *testing.T, want ...time.Duration) {
	t.Helper()
	if !slices.Equal(s.spent, want) {
		t.Errorf("tokens spent at %v, want %v", s.spent, want)
	}
}

func TestARetryWaitsLongerWithEachFailureInARow(t *testing.T) {
	r, spy := newSpiedRig(t, queue.Config[string]{})
	r.Add("a")
	r.finish("a", queue.Retry(errBroken))
	for failures := 1; failures <= 3; failures++ {
		item := r.takeAfter(time.Duration(failures)*time.Second, "a")
		if item.Attempt != failures+1 || r.NumRequeues("a") != failures {
			t.Errorf("attempt %d after %d failures, want %d after %d",
				item.Attempt, r.NumRequeues("a"), failures+1, failures)
		}
		r.Finish(item, queue.Retry(errBroken))
	}
	spy.wantSpent(t, 0, time.Second, 3*time.Second, 6*time.Second)
	if !slices.Equal(spy.asked, spy.spent) {
		t.Errorf("asked at %v, spent at %v", spy.asked, spy.spent)
	}
}

func TestWhatEndsASeriesOfFailures(t *testing.T) {
	tests := map[string]func(r rig, item queue.Item[string]){
		"Success":      func(r rig, item queue.Item[string]) { r.Finish(item, queue.Success()) },
		"RequeueAfter": func(r rig, item queue.Item[string]) { r.Finish(item, queue.RequeueAfter(time.Minute)) },
		"Forget":       func(r rig, item queue.Item[string]) { r.Forget("a"); r.Done("a") },
		"Forget later": func(r rig, item queue.Item[string]) { r.Done("a"); r.Forget("a") },
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			r, spy := newSpiedRig(t, queue.Config[string]{})
			r.Add("a")
			r.finish("a", queue.Retry(errBroken))
			end(r, r.takeAfter(time.Second, "a"))

			if failures := r.NumRequeues("a"); failures != 0 || spy.forgotten != 1 {
				t.Errorf("%d failures, limiter forgot %d times; want none, once", failures, spy.forgotten)
			}
			r.Add("a")
			r.finish("a", queue.Retry(errBroken))
			if item := r.takeAfter(time.Second, "a"); item.Attempt != 2 {
				t.Errorf("attempt %d, want 2", item.Attempt)
			}
		})
	}
}

func TestDoneNeitherCountsNorForgetsFailures(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Add("a")
	r.finish("a", queue.Retry(errBroken))
	r.takeAfter(time.Second, "a")
	r.Done("a")
	if failures := r.NumRequeues("a"); failures != 1 {
		t.Errorf("%d failures, want 1", failures)
	}
}

// kubernetes/kubernetes#132805
func TestAnEventIsNoReasonToRetryEarlier(t *testing.T) {
	events := map[string]queue.AddOptions{
		"event":                 {},
		"urgent event":          {Priority: queue.Urgent},
		"event that may wait":   {Delay: time.Millisecond},
		"event that waits long": {Delay: time.Hour},
	}
	for name, event := range events {
		t.Run(name, func(t *testing.T) {
			r, spy := newSpiedRig(t, queue.Config[string]{Triggers: 4})
			r.Add("a")
			r.finish("a", queue.Retry(errBroken))
			r.clock.Step(300 * time.Millisecond)
			event.Trigger.Cause = "seen"
			r.AddWith("a", event)
			r.AddWith("a", event)

			item := r.takeAfter(700*time.Millisecond, "a")
			if item.Attempt != 2 {
				t.Errorf("attempt %d, want 2: events are no failures", item.Attempt)
			}
			if seen := item.Triggers.Last; len(seen) == 0 || seen[len(seen)-1].Cause != "seen" {
				t.Errorf("the run is for %v; the event is lost", item.Triggers)
			}
			spy.wantSpent(t, 0)
			r.Finish(item, queue.Success())
			r.clock.Step(2 * time.Hour)
			r.wantIdle() // one run for all of them
		})
	}
}

func TestWhatOvertakesABackOff(t *testing.T) {
	tests := map[string]struct {
		add  func(r rig)
		want time.Duration
	}{
		"Now":              {func(r rig) { r.AddWith("a", queue.AddOptions{Now: true}) }, 0},
		"Add":              {func(r rig) { r.Add("a") }, 0},
		"earlier AddAfter": {func(r rig) { r.AddAfter("a", 100*time.Millisecond) }, 100 * time.Millisecond},
		"later AddAfter":   {func(r rig) { r.AddAfter("a", time.Hour) }, time.Second},
		"nothing":          {func(rig) {}, time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{})
			r.Add("a")
			r.finish("a", queue.Retry(errBroken))
			test.add(r)
			item := r.takeAfter(test.want, "a")
			if item.Attempt != 2 {
				t.Errorf("attempt %d, want 2: the failure still counts", item.Attempt)
			}
			r.Finish(item, queue.Success())
			r.clock.Step(2 * time.Hour)
			r.wantIdle()
		})
	}
}

func TestWhatComesWhileAKeyRunsThatThenFails(t *testing.T) {
	tests := map[string]struct {
		add  func(r rig)
		want time.Duration
	}{
		"nothing":            {func(rig) {}, time.Second},
		"event":              {func(r rig) { r.AddWith("a", queue.AddOptions{}) }, time.Second},
		"urgent event":       {func(r rig) { r.AddWith("a", at(queue.Urgent)) }, time.Second},
		"event with a delay": {func(r rig) { r.AddWith("a", queue.AddOptions{Delay: time.Millisecond}) }, time.Second},
		"Now":                {func(r rig) { r.AddWith("a", queue.AddOptions{Now: true}) }, 0},
		"event, Now":         {func(r rig) { r.AddWith("a", queue.AddOptions{}); r.AddWith("a", queue.AddOptions{Now: true}) }, 0},
		"event, urgent Now": {func(r rig) {
			r.AddWith("a", queue.AddOptions{})
			r.AddWith("a", queue.AddOptions{Priority: queue.Urgent, Now: true})
		}, 0},
		"Now, event":           {func(r rig) { r.AddWith("a", queue.AddOptions{Now: true}); r.AddWith("a", queue.AddOptions{}) }, 0},
		"Add":                  {func(r rig) { r.Add("a") }, 0},
		"event, Add":           {func(r rig) { r.AddWith("a", queue.AddOptions{}); r.Add("a") }, 0},
		"earlier AddAfter":     {func(r rig) { r.AddAfter("a", time.Millisecond) }, time.Millisecond},
		"later AddAfter":       {func(r rig) { r.AddAfter("a", time.Hour) }, time.Second},
		"AddAfter that is due": {func(r rig) { r.AddAfter("a", time.Millisecond); r.clock.Step(time.Millisecond) }, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, queue.Config[string]{})
			r.Add("a")
			item := r.take("a")
			test.add(r)
			r.Finish(item, queue.Retry(errBroken))
			if item := r.takeAfter(test.want, "a"); item.Attempt != 2 {
				t.Errorf("attempt %d, want 2", item.Attempt)
			}
			r.Done("a")
			r.clock.Step(2 * time.Hour)
			r.wantIdle()
		})
	}
}

func TestAddRateLimitedCountsEachFailureAndSpendsOnceAWait(t *testing.T) {
	tests := map[string]struct {
		before func(r rig)
		calls  int
		want   time.Duration
		spent  []time.Duration
	}{
		"idle":                 {func(rig) {}, 1, time.Second, []time.Duration{0}},
		"in back-off":          {func(rig) {}, 3, time.Second, []time.Duration{0}},
		"ready":                {func(r rig) { r.Add("a") }, 2, 0, nil},
		"due earlier":          {func(r rig) { r.AddAfter("a", time.Millisecond) }, 1, time.Millisecond, nil},
		"due later":            {func(r rig) { r.AddAfter("a", time.Hour) }, 1, time.Second, []time.Duration{0}},
		"running":              {func(r rig) { r.Add("a"); r.take("a") }, 2, time.Second, []time.Duration{0}},
		"running, ready after": {func(r rig) { r.Add("a"); r.take("a"); r.Add("a") }, 2, 0, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, spy := newSpiedRig(t, queue.Config[string]{})
			test.before(r)
			for range test.calls {
				r.AddRateLimited("a")
			}
			r.Done("a")
			if failures := r.NumRequeues("a"); failures != test.calls {
				t.Errorf("%d failures, want %d", failures, test.calls)
			}
			spy.wantSpent(t, test.spent...)
			if test.spent == nil && test.want == 0 && len(spy.asked) > 0 || len(spy.asked) > 1 {
				t.Errorf("asked at %v for a wait that is not needed", spy.asked)
			}
			r.takeAfter(test.want, "a")
			r.Done("a")
			r.clock.Step(2 * time.Hour)
			r.wantIdle()
		})
	}
}

func TestRetryAfterHasAWaitOfItsOwn(t *testing.T) {
	for _, wait := range []time.Duration{time.Minute, time.Millisecond, 0, -time.Second} {
		t.Run(wait.String(), func(t *testing.T) {
			r, spy := newSpiedRig(t, queue.Config[string]{Timed: true})
			r.clock.Step(time.Hour)
			r.Add("a")
			item := r.take("a")
			r.AddWith("a", queue.AddOptions{}) // meanwhile: merged
			r.Finish(item, queue.RetryAfter(wait, errBroken))
			if item := r.takeAfter(wait, "a"); item.Attempt != 2 || !item.ReadyAt.Equal(r.clock.Now()) {
				t.Errorf("attempt %d, ready at %v; want 2 at %v", item.Attempt, item.ReadyAt, r.clock.Now())
			}
			if len(spy.asked)+len(spy.spent) != 0 {
				t.Error("the rate limiter was asked")
			}
		})
	}
}

func TestAnEventDoesNotShortenARetryAfter(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Add("a")
	r.finish("a", queue.RetryAfter(time.Minute, errBroken))
	r.AddWith("a", queue.AddOptions{})
	r.takeAfter(time.Minute, "a")
}

func TestARateLimiterThatIsNoPacerCountsItself(t *testing.T) {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[string](time.Second, time.Minute)
	r := newRig(t, queue.Config[string]{RateLimiter: limiter})
	r.Add("a")
	r.AddRateLimited("a") // ready already: not asked
	if failures := limiter.NumRequeues("a"); failures != 0 {
		t.Errorf("the limiter was asked %d times for a wait that is not needed", failures)
	}
	if failures := r.NumRequeues("a"); failures != 1 {
		t.Errorf("%d failures, want 1: whoever gives up after a number of them must see it", failures)
	}
	r.finish("a", queue.Retry(errBroken))
	r.Finish(r.takeAfter(time.Second, "a"), queue.Retry(errBroken))
	item := r.takeAfter(2*time.Second, "a")
	if failures := r.NumRequeues("a"); failures != 3 {
		t.Errorf("%d failures, want 3", failures)
	}
	r.Finish(item, queue.Success())
	if failures := limiter.NumRequeues("a"); failures != 0 {
		t.Errorf("the limiter remembers %d failures after a success", failures)
	}
	limiter.When("never added")
	r.Forget("never added")
	if failures := limiter.NumRequeues("never added"); failures != 0 {
		t.Error("the limiter was not told to forget a key that the queue does not know")
	}
}

// A moodyLimiter panics when it is told to.
type moodyLimiter struct {
	queue.RateLimiter[string]
	panics bool
}

func (l *moodyLimiter) When(key string) time.Duration {
	if l.panics {
		panic("moody")
	}
	return l.RateLimiter.When(key)
}

func TestTheQueueIsUsableAfterItsRateLimiterPanicked(t *testing.T) {
	limiter := &moodyLimiter{RateLimiter: backOff()}
	r := newRig(t, queue.Config[string]{RateLimiter: limiter})
	r.Add("a")
	item := r.take("a")

	limiter.panics = true
	wantPanic(t, func() { r.Finish(item, queue.Retry(errBroken)) })
	wantPanic(t, func() { r.AddRateLimited("b") })
	limiter.panics = false

	r.Add("c")
	wantKeys(t, take(t, r.Queue), "c")
	r.Add("a")
	r.wantIdle() // still running
	r.Finish(item, queue.Success())
	r.AddRateLimited("b")
	r.take("a")
	r.takeAfter(time.Second, "b")
}

// The event alone would wait for the retry; that the key was also to run in an hour is no reason to run it at once.
func TestAnEventTakesOverTheFirmnessOfALaterDelay(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Add("a")
	item := r.take("a")
	r.AddAfter("a", time.Hour)
	r.AddWith("a", queue.AddOptions{})
	r.Finish(item, queue.Retry(errBroken))
	r.takeAfter(time.Second, "a")
}

// A key that fails waits for its retry also if what it waits for is an earlier delay.
func TestAnEventOvertakesABackOffThatADelayShortened(t *testing.T) {
	r := newRig(t, queue.Config[string]{})
	r.Add("a")
	r.finish("a", queue.RetryAfter(10*time.Second, errBroken))
	r.AddAfter("a", 9*time.Second)
	r.AddWith("a", queue.AddOptions{})
	r.takeAfter(9*time.Second, "a")
}
