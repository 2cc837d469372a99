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

	"github.com/go-logr/logr/funcr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
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

// Each keeps its cluster in logs that take texts and in those that take structures.
func TestClusterKeysInLogs(t *testing.T) {
	key := controller.ClusterKey{Cluster: "east", NamespacedName: types.NamespacedName{Namespace: "ns", Name: "a"}}
	var text, structured string
	funcr.New(func(_, args string) { text = args }, funcr.Options{}).Info("x", "key", key)
	funcr.NewJSON(func(obj string) { structured = obj }, funcr.Options{}).Info("x", "key", key)
	if want := `"key"={"cluster"="east" "namespace"="ns" "name"="a"}`; !strings.Contains(text, want) {
		t.Errorf("the text is %s, want %s in it", text, want)
	}
	if want := `"key":{"cluster":"east","namespace":"ns","name":"a"}`; !strings.Contains(structured, want) {
		t.Errorf("the structure is %s, want %s in it", structured, want)
	}
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
