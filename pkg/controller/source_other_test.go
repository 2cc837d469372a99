package controller_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/klog/v2/ktesting"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen diary
		keys := make(chan string)
		_, stop := start(t, controller.Config[string]{
			Reconcile: seen.reconcile,
			Sources:   []controller.Source[string]{controller.Channel("webhook", keys)},
		})
		keys <- "a"
		seen.next(t, "a")
		keys <- "b"
		close(keys)
		seen.next(t, "b")
		stop()
	})
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen diary
		logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
		rounds := 0
		all := func(context.Context) iter.Seq[string] {
			rounds++
			if rounds == 2 {
				panic("a bug")
			}
			return slices.Values([]string{"a", "b"})
		}
		_, stop := start(t, controller.Config[string]{
			Reconcile: seen.reconcile,
			Logger:    logger,
			Sources:   []controller.Source[string]{controller.Every("audit", time.Minute, all)},
		})
		time.Sleep(time.Minute - time.Millisecond)
		seen.next(t)
		time.Sleep(time.Millisecond)
		seen.next(t, "a", "b")
		time.Sleep(time.Minute)
		seen.next(t)
		time.Sleep(time.Minute)
		seen.next(t, "a", "b")
		stop()
		if logs := logger.GetSink().(ktesting.Underlier).GetBuffer().String(); !strings.Contains(logs, `source="audit"`) {
			t.Errorf("the panic is not in the log: %s", logs)
		}
	})
}

func TestEveryNeedsAnInterval(t *testing.T) {
	defer func() {
		if message := fmt.Sprint(recover()); !strings.Contains(message, `Every("audit") is 0s; it must be positive`) {
			t.Errorf("it says %q", message)
		}
	}()
	controller.Every[string]("audit", 0, nil)
}

// A source that is closed in the middle of a round ends it.
func TestARoundEndsWithItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen diary
		c, stop := start(t, controller.Config[string]{Reconcile: seen.reconcile})
		subscription, err := c.AddSource(controller.Every("audit", time.Minute, func(ctx context.Context) iter.Seq[string] {
			return func(yield func(string) bool) {
				yield("a")
				<-ctx.Done()
				yield("b")
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		seen.next(t, "a")
		subscription.Close()
		seen.next(t)
		stop()
	})
}

// A key that can't be mapped is logged, and the next one follows.
func TestAMappingOfAChannelThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen diary
		logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
		numbers := make(chan int)
		_, stop := start(t, controller.Config[string]{
			Reconcile: seen.reconcile,
			Logger:    logger,
			Sources: []controller.Source[string]{controller.Mapped(controller.Channel("webhook", numbers), func(n int) string {
				return []string{"a", "b"}[n]
			})},
		})
		numbers <- 7
		numbers <- 1
		seen.next(t, "b")
		stop()
		if logs := logged(t, logger); !strings.Contains(logs, `Source panicked controller="test" source="webhook"`) {
			t.Errorf("the log is %q", logs)
		}
	})
}

func TestHowOtherSourcesAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := make(chan string, 1)
		keys <- "a"
		tests := map[queue.AddOptions]controller.Source[string]{
			{Priority: queue.Background, Trigger: queue.Trigger{Source: "audit", Cause: "periodic"}}: controller.Every(
				"audit", time.Minute, func(context.Context) iter.Seq[string] { return slices.Values([]string{"a"}) }),
			{Trigger: queue.Trigger{Source: "webhook", Cause: "sent"}}: controller.Channel("webhook", keys),
		}
		for want, source := range tests {
			added := make(chan queue.AddOptions, 1)
			subscription := source.Subscribe(controller.Target[string]{Add: func(_ string, options queue.AddOptions) { added <- options }})
			if got := <-added; got != want {
				t.Errorf("added with %+v, want %+v", got, want)
			}
			subscription.Close()
		}
	})
}
