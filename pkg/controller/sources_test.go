package controller_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2/ktesting"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A diary notes the keys that a controller reconciles.
type diary struct {
	mu    sync.Mutex
	keys  []string // since the last call of next
	count int
}

func (d *diary) reconcile(_ context.Context, key string) controller.Result {
	d.add(key)
	return controller.Done()
}

// add returns how many there are with this one.
func (d *diary) add(key string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keys = append(d.keys, key)
	d.count++
	return d.count
}

// next compares what was reconciled since the last call.
func (d *diary) next(t *testing.T, keys ...string) {
	t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.keys, keys) {
		t.Errorf("reconciled %q, want %q", d.keys, keys)
	}
	d.keys = nil
}

func TestSourcesComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen diary
		c, stop := start(t, controller.Config[string]{Reconcile: seen.reconcile})
		source := newHand()
		subscription, err := c.AddSource(source)
		if err != nil {
			t.Fatal(err)
		}
		source.add("a")
		seen.next(t, "a")
		subscription.Close()
		if !source.closed {
			t.Error("the source was not closed")
		}
		left := newHand()
		if _, err := c.AddSource(left); err != nil {
			t.Fatal(err)
		}
		if _, err := c.AddSource(nil); err == nil {
			t.Error("a source that is nil was added")
		}
		stop()
		if !left.closed {
			t.Error("the source that was left was not closed")
		}
		subscription.Close() // again
		if _, err := c.AddSource(newHand()); !errors.Is(err, controller.ErrStopped) {
			t.Errorf("after the stop AddSource returned %v", err)
		}
	})
}

func TestASourceThatComesBeforeSyncIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen diary
		first, second, third := newHand(), newHand(), newHand()
		c, stop := start(t, controller.Config[string]{Reconcile: seen.reconcile, Sources: []controller.Source[string]{first}})
		if _, err := c.AddSource(second); err != nil {
			t.Fatal(err)
		}
		removed, err := c.AddSource(third)
		if err != nil {
			t.Fatal(err)
		}
		first.add("a")
		close(first.synced)
		seen.next(t)
		if err := c.Ready(); err == nil || !strings.Contains(err.Error(), "not all sources have synced") {
			t.Errorf("Ready returned %v", err)
		}
		removed.Close()
		close(second.synced)
		time.Sleep(10 * time.Second) // until the one that was removed is looked at again
		seen.next(t, "a")
		if err := c.Ready(); err != nil {
			t.Errorf("Ready returned %v", err)
		}
		stop()
		if err := c.Ready(); !errors.Is(err, controller.ErrStopped) {
			t.Errorf("after the stop Ready returned %v", err)
		}
	})
}

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
		all := func() iter.Seq[string] {
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

// asked returns the options with which a source adds keys, for those that it is given.
func asked(source func(controller.Source[string]) controller.Source[string], given queue.AddOptions) (got queue.AddOptions) {
	h := newHand()
	source(h).Subscribe(controller.Target[string]{Add: func(_ string, options queue.AddOptions) { got = options }})
	h.to.Add("a", given)
	return got
}

func TestAtOnceAndAtPriority(t *testing.T) {
	high := func(s controller.Source[string]) controller.Source[string] {
		return controller.AtPriority(queue.High, s)
	}
	background := func(s controller.Source[string]) controller.Source[string] {
		return controller.AtPriority(queue.Background, s)
	}
	tests := map[string]struct {
		source      func(controller.Source[string]) controller.Source[string]
		given, want queue.AddOptions
	}{
		"at once":       {controller.AtOnce[string], queue.AddOptions{Priority: queue.Low}, queue.AddOptions{Priority: queue.Low, Now: true}},
		"high":          {high, queue.AddOptions{}, queue.AddOptions{Priority: queue.High}},
		"first pass":    {high, queue.AddOptions{Priority: queue.Low}, queue.AddOptions{Priority: queue.Low}},
		"lower":         {background, queue.AddOptions{Priority: queue.Low}, queue.AddOptions{Priority: queue.Background}},
		"lower, normal": {background, queue.AddOptions{}, queue.AddOptions{Priority: queue.Background}},
	}
	for name, test := range tests {
		if got := asked(test.source, test.given); got != test.want {
			t.Errorf("%s: added with %+v, want %+v", name, got, test.want)
		}
	}
}

func TestInCluster(t *testing.T) {
	names := make(chan types.NamespacedName, 1)
	names <- types.NamespacedName{Namespace: "ns", Name: "a"}
	got := make(chan controller.ClusterKey)
	subscription := controller.InCluster("east", controller.Channel("test", names)).Subscribe(controller.Target[controller.ClusterKey]{
		Add: func(key controller.ClusterKey, _ queue.AddOptions) { got <- key },
	})
	defer subscription.Close()
	if key := <-got; key.Cluster != "east" || key.String() != "east/ns/a" {
		t.Errorf("the key is %v", key)
	}
}
