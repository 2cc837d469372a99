package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// a scenario is a queue with a clock that stands still, and what a worker does with it.
type scenario struct {
	*queue.Queue[string]
	t     *testing.T
	clock *clocktesting.FakeClock
	start time.Time
}

func newScenario(t *testing.T, config queue.Config[string]) *scenario {
	t.Helper()
	start := time.Unix(0, 0)
	clock := clocktesting.NewFakeClock(start)
	config.Clock = clock
	if config.RateLimiter == nil {
		config.RateLimiter = newExponential(time.Minute, time.Hour)
	}
	return &scenario{Queue: queue.New(config), t: t, clock: clock, start: start}
}

func (s *scenario) takeNext() queue.Item[string] {
	s.t.Helper()
	ended, cancel := context.WithCancel(s.t.Context())
	cancel()
	item, err := s.Take(ended)
	if err != nil {
		s.t.Fatalf("nothing is ready: %v", err)
	}
	return item
}

// run takes the key and succeeds.
func (s *scenario) run() {
	s.t.Helper()
	s.Finish(s.takeNext(), queue.Success())
}

func (s *scenario) wantDue(key string, want time.Duration) {
	s.t.Helper()
	info, _ := s.Find(key)
	if info.State != queue.Delayed || info.Due.Sub(s.start) != want {
		s.t.Errorf("%s is %s (%s), want it to be due %v after the start", key, info.State, info.Why(), want)
	}
}

// Config.HotKeys: "A key is hot when an event comes less than Quiet after the one before." A key that has very many
// events while it waits for a worker is the one that is meant.
func TestAKeyIsHotWhateverItsEventsFoundItDoing(t *testing.T) {
	tests := map[string]func(s *scenario){
		"waiting for a worker": func(s *scenario) {
			s.AddWith("a", queue.AddOptions{})
			s.clock.Step(1900 * time.Millisecond)
			s.AddWith("a", queue.AddOptions{})
			s.run()
		},
		"waiting for its retry": func(s *scenario) {
			s.AddRateLimited("a")
			s.AddWith("a", queue.AddOptions{})
			s.Add("a")
			s.run()
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t, queue.Config[string]{HotKeys: queue.HotKeys{Quiet: time.Second}})
			prepare(s)
			begin := s.clock.Since(s.start)
			s.clock.Step(500 * time.Millisecond) // after the event before
			s.AddWith("a", queue.AddOptions{})
			s.wantDue("a", begin+1500*time.Millisecond)
		})
	}
}

// Queue.AddAfter: "of two delays the earlier wins", also if the other is that of a hot key that grows later.
func TestQuietDoesNotPostponeADelay(t *testing.T) {
	tests := map[string]struct {
		ask  func(s *scenario)
		want time.Duration // when it is due that is asked for after half a second
	}{
		"AddAfter":      {func(s *scenario) { s.AddAfter("a", 3*time.Second) }, 3500 * time.Millisecond},
		"event's delay": {func(s *scenario) { s.AddWith("a", queue.AddOptions{Delay: 3 * time.Second}) }, 3500 * time.Millisecond},
	}
	for name, test := range tests {
		for _, hotFirst := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, hot first: %v", name, hotFirst), func(t *testing.T) {
				s := newScenario(t, queue.Config[string]{HotKeys: queue.HotKeys{Quiet: time.Second}})
				s.AddWith("a", queue.AddOptions{})
				s.run()
				s.clock.Step(500 * time.Millisecond)
				if hotFirst {
					s.AddWith("a", queue.AddOptions{})
				}
				test.ask(s)
				for range 6 { // until 3 s
					s.AddWith("a", queue.AddOptions{})
					s.clock.Step(500 * time.Millisecond)
				}
				s.AddWith("a", queue.AddOptions{})
				if info, _ := s.Find("a"); info.State == queue.Delayed && info.Due.Sub(s.start) > test.want {
					t.Errorf("due %v after the start, want %v", info.Due.Sub(s.start), test.want)
				}
			})
		}
	}
}

// Package documentation: "an event neither shortens the wait of a key that fails". A plain event during a run that fails
// becomes part of the retry, also when AddAfter asked for another run much later.
func TestAFailureKeepsADelayThatEventsOvertook(t *testing.T) {
	addAfter := func(s *scenario) { s.AddAfter("a", 10*time.Second) }
	event := func(s *scenario) { s.AddWith("a", queue.AddOptions{}) }
	tests := map[string][]func(s *scenario){
		"event after AddAfter":  {addAfter, event},
		"event before AddAfter": {event, addAfter},
	}
	for name, calls := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t, queue.Config[string]{})
			s.Add("a")
			item := s.takeNext()
			for _, call := range calls {
				call(s)
			}
			s.Finish(item, queue.RetryAfter(time.Minute, errors.New("broken")))
			s.wantDue("a", 10*time.Second)
		})
	}
}

// AddWith: "a key that waits for its retry goes on waiting". It fails and waits, whoever said for how long.
func TestAnEventDoesNotRunAFailingKeyWhoseWaitAddAfterShortened(t *testing.T) {
	tests := map[string]func(s *scenario){
		"AddAfter during the run": func(s *scenario) {
			item := s.takeNext()
			s.AddAfter("a", 10*time.Second)
			s.Finish(item, queue.Retry(nil))
		},
		"AddAfter after the run": func(s *scenario) {
			s.Finish(s.takeNext(), queue.Retry(nil))
			s.AddAfter("a", 10*time.Second)
		},
	}
	for name, fail := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t, queue.Config[string]{})
			s.Add("a")
			fail(s)
			s.AddWith("a", queue.AddOptions{})
			s.wantDue("a", 10*time.Second)
		})
	}
}

// AddOptions.Priority: "Of several the highest counts."
func TestAnEventOfLowPriorityDoesNotDemoteARetry(t *testing.T) {
	s := newScenario(t, queue.Config[string]{})
	s.AddWith("a", queue.AddOptions{Priority: queue.High})
	item := s.takeNext()
	s.AddWith("a", queue.AddOptions{Priority: queue.Background})
	s.Finish(item, queue.Retry(nil))
	if info, _ := s.Find("a"); info.Priority != queue.High {
		t.Errorf("the retry of a run at priority high is at priority %v", info.Priority)
	}
}

// Config.Timed notes the times "for whoever inspects the queue". What was not noted cannot be told.
func TestStatsOfAnUntimedQueueHaveNoTimes(t *testing.T) {
	s := newScenario(t, queue.Config[string]{})
	s.clock.Step(time.Hour)
	s.Add("runs")
	s.takeNext()
	s.Add("waits")
	status := s.Status()
	if status.OldestReady != 0 || status.LongestRunning != 0 || status.Unfinished != 0 {
		t.Errorf("of keys that were added and taken just now: ready for %v, running for %v, all together %v",
			status.OldestReady, status.LongestRunning, status.Unfinished)
	}
	for _, key := range []string{"runs", "waits"} {
		if info, _ := s.Find(key); strings.Contains(info.Why(), "for 2562047h") {
			t.Errorf("%s: %s", key, info.Why())
		}
	}
}

// Status.Tenants: "tenants that have any key", as in Snapshot.Tenants.
func TestStatsCountTenantsThatHaveKeys(t *testing.T) {
	s := newScenario(t, queue.Config[string]{Tenant: func(key string) string { return key }})
	s.Add("a")
	s.run()
	if snapshot := s.Inspect(-1); snapshot.Status.Tenants != len(snapshot.Tenants) {
		t.Errorf("an empty queue has %d tenants, lists %d", snapshot.Status.Tenants, len(snapshot.Tenants))
	}
}

// Config.MaxOvertakes: "each other one after one key of each below it", and nobody starves.
func TestFewOvertakesStarveNoClass(t *testing.T) {
	for _, maxOvertakes := range []int{1, 2, 3} {
		s := newScenario(t, queue.Config[string]{MaxOvertakes: maxOvertakes})
		for class := queue.Background; class <= queue.Urgent; class++ {
			for i := range 100 {
				s.AddWith(class.String()+string(rune('A'+i)), queue.AddOptions{Priority: class})
			}
		}
		served := map[queue.Priority]int{}
		for range 100 {
			served[s.takeNext().Priority]++
		}
		for class := queue.Background; class <= queue.Urgent; class++ {
			if served[class] < 10 {
				t.Errorf("MaxOvertakes %d: %d of 100 keys were of class %v, which always had some", maxOvertakes, served[class], class)
			}
		}
	}
}

// The same: of a class that waits for its turn also those keys count that came before it while no other was higher.
func TestNoClassWaitsLongerForHavingBeenTheHighest(t *testing.T) {
	const maxOvertakes = 4
	s := newScenario(t, queue.Config[string]{MaxOvertakes: maxOvertakes})
	add := func(class queue.Priority) {
		for i := range 20 {
			s.AddWith(class.String()+string(rune('A'+i)), queue.AddOptions{Priority: class})
		}
	}
	add(queue.Background)
	add(queue.Low)
	for range maxOvertakes {
		s.takeNext() // of Low, so that it is Background's turn
	}
	waited := 0
	for s.takeNext().Priority != queue.Low {
		if waited == 0 {
			add(queue.High)
		}
		waited++
	}
	if waited > maxOvertakes+1 { // one class is below
		t.Errorf("class low had to wait for %d keys of others, want at most %d", waited, maxOvertakes+1)
	}
}
