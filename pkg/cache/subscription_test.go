package cache

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

// A poison panics at the events that the test names, as a log writes them, and keeps a diary of all.
type poison struct {
	log
	at map[string]bool
}

func (p *poison) handle(ctx context.Context, event Event[cm]) {
	p.log.handle(ctx, event)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at[entryOf(event)] {
		panic("a bug")
	}
}

// set makes the handler panic at an event from now on, or no more.
func (p *poison) set(entry string, panics bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at[entry] = panics
}

func TestASlowSubscriberHoldsUpNobodyAndMissesNoLastState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLiveServer()
		i := newTestInformer(s)
		var slow, fast log
		release := make(chan struct{})
		subscription := i.Subscribe("slow", func(ctx context.Context, event Event[cm]) {
			<-release
			slow.handle(ctx, event)
		})
		i.Subscribe("fast", fast.handle)
		stop := start(t, i)
		synctest.Wait()
		const updates = 3 * maxLag
		for version := range updates {
			s.stream.Modify(configMap("a", "u", fmt.Sprint(10+version)))
			if version%100 == 99 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		if got := len(fast.read()); got != 2+updates {
			t.Errorf("the fast handler saw %d events, want %d", got, 2+updates)
		}
		if got := subscription.Pending(); got > 1+maxLag {
			t.Errorf("%d events wait for the slow handler, want them merged", got)
		}
		close(release)
		synctest.Wait()
		got := slow.read()
		if last := got[len(got)-1]; last != fmt.Sprintf("Updated a@%d", 9+updates) {
			t.Errorf("the slow handler saw %q last", last)
		}
		if subscription.Pending() != 0 {
			t.Errorf("%d events still wait", subscription.Pending())
		}
		stop()
	})
}

func TestAPanickingHandlerIsTriedAgain(t *testing.T) {
	p := poison{at: map[string]bool{"Added a@1 initial": true}}
	var other log
	var subscription *Subscription[cm]
	play(t, Config{}, func(s scene) {
		subscription = s.informer.Subscribe("panics", p.handle)
		s.informer.Subscribe("other", other.handle)
	}, func(s scene) {
		if !subscription.HasSynced() {
			s.Error("the subscription has not synced, only because its handler panicked")
		}
		p.next(s.T, "Added a@1 initial", "Added b@1 initial")
		other.want(s.T, "Added a@1 initial", "Added b@1 initial")
		if got := [2]int{subscription.Panics(), subscription.Pending()}; got != [2]int{1, 1} {
			s.Errorf("panics and pending are %v, want one each", got)
		}
		for _, delay := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
			time.Sleep(time.Duration(delay)*time.Second - 1)
			p.next(s.T)
			time.Sleep(time.Nanosecond)
			p.next(s.T, "Added a@1 initial")
		}
		p.set("Added a@1 initial", false)
		time.Sleep(time.Minute)
		p.next(s.T, "Added a@1 initial")
		if got := [2]int{subscription.Panics(), subscription.Pending()}; got != [2]int{9, 0} {
			s.Errorf("panics and pending are %v, want 9 and none", got)
		}
		time.Sleep(time.Hour)
		p.next(s.T)

		p.set("Updated b@6", true)
		s.update("b", "6")
		p.next(s.T, "Updated b@6")
		time.Sleep(time.Second) // the delay begins anew
		p.next(s.T, "Updated b@6")
	})
}

func TestAPanicIsMergedWithWhatFollows(t *testing.T) {
	update := func(version string) func(scene) { return func(s scene) { s.update("a", version) } }
	deletion := func(version string) func(scene) { return func(s scene) { s.delete("a", version) } }
	tests := map[string]struct {
		panicsAt []string
		steps    []func(scene)
		want     []string
	}{
		"added, then updated":    {[]string{"Added a@1 initial"}, []func(scene){update("6")}, []string{"Added a@6 initial"}},
		"added, then deleted":    {[]string{"Added a@1 initial"}, []func(scene){deletion("6")}, []string{"Deleted a@6"}},
		"updated, then updated":  {[]string{"Updated a@6"}, []func(scene){update("6"), update("7")}, []string{"Updated a@6", "Updated a@7"}},
		"updated, then deleted":  {[]string{"Updated a@6"}, []func(scene){update("6"), deletion("7")}, []string{"Updated a@6", "Deleted a@7"}},
		"fails again, then goes": {[]string{"Updated a@6", "Updated a@7"}, []func(scene){update("6"), update("7"), update("8")}, []string{"Updated a@6", "Updated a@7", "Updated a@8"}},
		"deleted, then created": {
			[]string{"Deleted a@6"},
			[]func(scene){deletion("6"), func(s scene) { s.add("a", "v", "7") }},
			[]string{"Deleted a@6", "Deleted a@6", "Added a@7"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := poison{at: map[string]bool{}}
			for _, entry := range test.panicsAt {
				p.at[entry] = true
			}
			play(t, Config{}, func(s scene) { s.informer.Subscribe("panics", p.handle) }, func(s scene) {
				p.next(s.T, "Added a@1 initial", "Added b@1 initial")
				for _, step := range test.steps {
					step(s)
				}
				if name == "deleted, then created" { // the deletion fails for ever, so the creation waits behind it
					p.next(s.T, test.want[:2]...)
					p.set("Deleted a@6", false)
					time.Sleep(time.Second)
					p.next(s.T, test.want[1:]...)
					return
				}
				p.next(s.T, test.want...)
				time.Sleep(time.Hour)
				p.next(s.T)
			})
		})
	}
}

// A handler that is busy all the time gets what it panicked at after a second all the same.
func TestARetryDoesNotWaitForQuiet(t *testing.T) {
	var retried time.Duration
	play(t, Config{}, func(s scene) {
		failed, began := false, time.Now()
		s.informer.Subscribe("busy", func(_ context.Context, event Event[cm]) {
			switch {
			case event.Key.Name == "b":
				time.Sleep(100 * time.Millisecond)
			case failed && retried == 0:
				retried = time.Since(began)
			case !failed:
				failed = true
				panic("a bug")
			}
		})
	}, func(s scene) {
		for version := range 100 {
			s.update("b", fmt.Sprint(10+version))
		}
		time.Sleep(time.Minute)
	})
	if retried > 2*time.Second {
		t.Errorf("the event was handed out again after %v, want about a second", retried)
	}
}

// With a clock of its own the test sees whether a timer is left.
func TestNothingIsLeftOfARetry(t *testing.T) {
	fake := clocktesting.NewFakeClock(time.Time{})
	for name, end := range map[string]func(*Subscription[cm], func()){
		"stopped":          func(s *Subscription[cm], _ func()) { s.Stop() },
		"closed":           func(s *Subscription[cm], _ func()) { s.Close() },
		"informer stopped": func(_ *Subscription[cm], stop func()) { stop() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := NewInformer(ListerWatcher[cm](newLiveServer()), Config{Clock: fake})
				var panicked atomic.Int32
				s := i.SubscribeWith(SubscribeOptions{Resync: time.Hour}, func(context.Context, Event[cm]) {
					panicked.Add(1)
					panic("a bug")
				})
				stop := start(t, i)
				synctest.Wait()
				if !fake.HasWaiters() {
					t.Error("no retry is waiting")
				}
				end(s, stop)
				<-s.Ended()
				stop()
				synctest.Wait()
				if fake.HasWaiters() {
					t.Error("a timer is left")
				}
				fake.Step(time.Hour)
				synctest.Wait()
				if got := panicked.Load(); got != 2 {
					t.Errorf("the handler was called %d times, want 2", got)
				}
			})
		})
	}
}
