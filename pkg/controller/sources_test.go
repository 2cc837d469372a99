package controller_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"

	"github.com/sluice-k8s/sluice/pkg/controller"
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
		if source.closed != 1 {
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
		if left.closed != 1 {
			t.Error("the source that was left was not closed")
		}
		subscription.Close() // again
		if source.closed != 1 {
			t.Errorf("the source was closed %d times", source.closed)
		}
		late := newHand()
		if _, err := c.AddSource(late); !errors.Is(err, controller.ErrStopped) || late.closed != 1 {
			t.Errorf("after the stop AddSource returned %v, and the source was closed %d times", err, late.closed)
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

// Whenever a source is added, it logs as the controller does.
func TestSourcesThatComeLogAsTheController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
		c, err := controller.New(controller.Config[string]{Name: "mine", Reconcile: new(diary).reconcile})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(klog.NewContext(t.Context(), logger))
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		synctest.Wait()
		if _, err := c.AddSource(controller.Every("audit", time.Minute, func(ctx context.Context) iter.Seq[string] {
			klog.FromContext(ctx).Info("Hello")
			panic("a bug")
		})); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, want := range []string{`Hello controller="mine"`, `Source panicked controller="mine" source="audit"`} {
			if logs := logged(t, logger); !strings.Contains(logs, want) {
				t.Errorf("the log is %q, want %s in it", logs, want)
			}
		}
	})
}

// A controller that is stopped before it has synced was never ready.
func TestReadyAllTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newHand()
		config := controller.Config[string]{Name: "test", Sources: []controller.Source[string]{source}}
		config.Reconcile = func(context.Context, string) controller.Result {
			time.Sleep(10 * time.Second)
			return controller.Done()
		}
		c, err := controller.New(config)
		if err != nil {
			t.Fatal(err)
		}
		says := func(want string) {
			t.Helper()
			synctest.Wait()
			if got := fmt.Sprint(c.Ready()); !strings.Contains(got, want) {
				t.Errorf("Ready returned %s, want %s", got, want)
			}
		}
		says("does not run yet")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		says("not all sources have synced")
		close(source.synced)
		says("nil")
		c.Enqueue("a")
		synctest.Wait()
		cancel()
		says("has stopped") // and drains
		if err := <-done; err != nil {
			t.Error(err)
		}
		says("has stopped")
	})
}

// Nobody goes on waiting for a source that is removed.
func TestASourceThatNeverSyncsIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
		c, err := controller.New(controller.Config[string]{Name: "test", Logger: logger, Reconcile: new(diary).reconcile})
		if err != nil {
			t.Fatal(err)
		}
		never, err := c.AddSource(newHand())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		time.Sleep(15 * time.Second)
		if err := c.Ready(); err == nil {
			t.Error("ready without the source")
		}
		never.Close()
		synctest.Wait()
		if err := c.Ready(); err != nil {
			t.Errorf("Ready returned %v", err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := strings.Count(logged(t, logger), "Still waiting for sync"); got != 1 {
			t.Errorf("it said %d times what it waits for, want once", got)
		}
	})
}
