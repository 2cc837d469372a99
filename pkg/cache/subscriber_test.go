package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestAHandlerThatExitsEndsItsSubscription(t *testing.T) {
	play(t, Config{}, nil, func(s scene) {
		subscription := s.informer.Subscribe("exits", func(context.Context, Event[cm]) { runtime.Goexit() })
		<-subscription.Ended()
		if got := len(s.informer.fanOut.feeds); got != 0 {
			s.Errorf("%d feeds are left", got)
		}
		s.update("a", "6")
		if subscription.Pending() > 1 || subscription.Panics() != 0 || subscription.HasSynced() {
			s.Errorf("%+v", subscription.describe())
		}
		if err := subscription.WaitForSync(s.Context()); !errors.Is(err, ErrStopped) {
			s.Errorf("WaitForSync returned %v, want ErrStopped", err)
		}
		subscription.Close()
	})
}

func TestSubscriptionsAreListed(t *testing.T) {
	var p poison
	var release chan struct{}
	play(t, Config{}, func(s scene) {
		release = make(chan struct{})
		p.at = map[string]bool{"Added a@1 initial": true}
		s.informer.Subscribe("panics", p.handle)
		s.informer.SubscribeBatches(SubscribeOptions{Name: "loop"})
		s.informer.Subscribe("slow", func(context.Context, Event[cm]) { <-release })
		s.informer.Subscribe("gone", p.handle).Stop()
	}, func(s scene) {
		want := []SubscriptionStatus{
			{Name: "panics", Synced: true, Pending: 1, Retrying: 1, Panics: 1},
			{Name: "loop", Pending: 2},
			{Name: "slow", Pending: 1},
		}
		if got := s.informer.Subscriptions(); fmt.Sprint(got) != fmt.Sprint(want) {
			s.Errorf("got  %+v\nwant %+v", got, want)
		}
		close(release)
	})
}

func TestAResyncTakesASecondAtLeast(t *testing.T) {
	for least, options := range map[time.Duration]SubscribeOptions{
		time.Second:     {Resync: time.Nanosecond},
		time.Minute:     {Resync: time.Nanosecond, MinResync: time.Minute},
		time.Second / 2: {Resync: time.Second / 2, MinResync: time.Millisecond},
	} {
		var seen log
		play(t, Config{}, func(s scene) { s.informer.SubscribeWith(options, seen.handle) }, func(s scene) {
			seen.next(s.T, "Added a@1 initial", "Added b@1 initial")
			time.Sleep(least - 1)
			seen.next(s.T)
			time.Sleep(time.Nanosecond)
			seen.next(s.T, "Updated a@1 resync", "Updated b@1 resync")
		})
	}
}

func TestAResyncCountsFromRun(t *testing.T) {
	var seen log
	play(t, Config{}, func(s scene) {
		s.informer.SubscribeWith(SubscribeOptions{Resync: time.Minute}, seen.handle)
		time.Sleep(30 * time.Second)
	}, func(s scene) {
		seen.next(s.T, "Added a@1 initial", "Added b@1 initial")
		time.Sleep(time.Minute - 1)
		seen.next(s.T)
		time.Sleep(time.Nanosecond)
		seen.next(s.T, "Updated a@1 resync", "Updated b@1 resync")
	})
}

// entriesOf writes a batch down.
func entriesOf(events []Event[cm]) (entries []string) {
	for _, event := range events {
		entries = append(entries, entryOf(event))
	}
	return entries
}

func TestALoopIsASubscriber(t *testing.T) {
	var loop *BatchSubscription[cm]
	play(t, Config{}, func(s scene) {
		loop = s.informer.SubscribeBatches(SubscribeOptions{Name: "loop", Resync: time.Minute})
	}, func(s scene) {
		if got := fmt.Sprint(loop.describe()); got != "{loop false 2 0 0}" {
			s.Errorf("before the loop it is %s", got)
		}
		for events := range loop.Batches(s.Context()) {
			if got := fmt.Sprint(entriesOf(events), loop.HasSynced()); got != "[Added a@1 initial Added b@1 initial] false" {
				s.Errorf("got %s first", got)
			}
			break
		}
		if err := loop.WaitForSync(s.Context()); err != nil {
			s.Error(err)
		}
		s.update("a", "6")
		ctx, cancel := context.WithTimeout(s.Context(), 2*time.Minute-1)
		defer cancel()
		var rest []string
		for events := range loop.Batches(ctx) {
			rest = append(rest, entriesOf(events)...)
		}
		if got := fmt.Sprint(rest); got != "[Updated a@6 Updated a@6 resync Updated b@1 resync]" {
			s.Errorf("the second loop got %s", got)
		}
		loop.Stop()
		for range loop.Batches(s.Context()) {
			s.Error("a stopped subscription has a batch")
		}
		<-loop.Ended()
	})
}

func TestALoopSyncsWithoutObjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newLiveServer()
		server.replies = []reply{page("5", "")}
		i := newTestInformer(server)
		loop := i.SubscribeBatches(SubscribeOptions{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for events := range loop.Batches(context.Background()) {
				t.Errorf("got %v", events)
			}
		}()
		stop := start(t, i)
		if err := loop.WaitForSync(t.Context()); err != nil {
			t.Error(err)
		}
		stop()
		<-ended // with the informer
	})
}
