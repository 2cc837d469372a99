package queue_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestConfigsThatAreWrong(t *testing.T) {
	order := workqueue.DefaultQueue[string]()
	tests := []struct {
		config queue.Config[string]
		want   string // in the error
	}{
		{queue.Config[string]{MaxOvertakes: -1}, "Config.MaxOvertakes is -1"},
		{queue.Config[string]{Remember: -1}, "Config.Remember is -1"},
		{queue.Config[string]{Triggers: -2}, "Config.Triggers is -2"},
		{queue.Config[string]{HotKeys: queue.HotKeys{Quiet: -time.Second}}, "Config.HotKeys.Quiet is -1s"},
		{queue.Config[string]{HotKeys: queue.HotKeys{Quiet: time.Second, MaxWait: -1}}, "Config.HotKeys.MaxWait is -1ns"},
		{queue.Config[string]{HotKeys: queue.HotKeys{Quiet: time.Second, MaxWait: half}}, "must be Quiet (1s) or more"},
		{queue.Config[string]{HotKeys: queue.HotKeys{MaxWait: time.Second}}, "Config.HotKeys.MaxWait is set and Quiet is not"},
		{queue.Config[string]{Order: order, Tenant: namespace}, "Config.Order and Config.Tenant are both set"},
		{queue.Config[string]{Order: order, MaxOvertakes: 1}, "Config.Order and Config.MaxOvertakes are both set"},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			err := test.config.Validate()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("Validate returned %v, want %q in it", err, test.want)
			}
			defer func() {
				if got := recover(); fmt.Sprint(got) != err.Error() {
					t.Errorf("New panics with %v, want %v", got, err)
				}
			}()
			queue.New(test.config)
		})
	}
}

func TestConfigsThatAreRight(t *testing.T) {
	tests := map[string]queue.Config[string]{
		"zero":       {},
		"no retries": {MaxRetries: -1},
		"bounds":     {MaxOvertakes: 1, Triggers: 1, HotKeys: queue.HotKeys{Quiet: 1, MaxWait: 1}},
		"order":      {Order: workqueue.DefaultQueue[string](), HotKeys: queue.HotKeys{Quiet: 1}, MaxRetries: 1, Triggers: 1},
	}
	for name, config := range tests {
		if err := config.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		queue.New(config)
	}
}

// The zero config limits rates as client-go does, by the real clock.
func TestTheDefaultRateLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config[string]{})
		q.Add("a")
		for attempt := range 5 {
			begin := time.Now()
			item, err := q.Take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got, want := time.Since(begin), queue.DefaultBaseDelay<<attempt/2; attempt > 0 && got != want {
				t.Errorf("failure %d waited %v, want %v", attempt, got, want)
			}
			q.Finish(item, queue.Retry(nil))
		}
	})
}
