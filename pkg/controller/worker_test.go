package controller_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A fateful order stops the controller at the moment at which a key is handed out.
type fateful struct {
	keys []string
	stop func()
}

func (f *fateful) Touch(string)    {}
func (f *fateful) Push(key string) { f.keys = append(f.keys, key) }
func (f *fateful) Len() int        { return len(f.keys) }

func (f *fateful) Pop() string {
	f.stop()
	key := f.keys[0]
	f.keys = f.keys[1:]
	return key
}

// A key that was taken in the moment of the stop does not run, and is not lost: it is where it was.
func TestAKeyThatIsTakenWhenStoppingIsGivenBack(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, err := controller.New(controller.Config[string]{
		Name:  "test",
		Queue: queue.Config[string]{Order: &fateful{stop: cancel}, Triggers: 1, HotKeys: queue.HotKeys{Quiet: time.Hour}},
		Reconcile: func(context.Context, string) controller.Result {
			t.Error("a key was handed out after the stop")
			return controller.Done()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	cause := queue.Trigger{Source: "test", Cause: "added"}
	c.Queue().AddWith("a", queue.AddOptions{Priority: queue.Low, Trigger: cause})
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	info, ok := c.Queue().Find("a")
	if !ok || info.State != queue.Ready || info.Priority != queue.Low || info.Triggers.First.Cause != "added" {
		t.Errorf("the key is %+v, %v; want it to be ready as before", info, ok)
	}
}

// A halting Metrics takes its time when the second key is taken.
type halting struct {
	taken int
	halt  func()
}

func (h *halting) Added(queue.Priority, int)              {}
func (h *halting) Finished(queue.Priority, time.Duration) {}
func (h *halting) Retried(int)                            {}
func (h *halting) Gauges(queue.Status)                    {}

func (h *halting) Taken(queue.Priority, time.Duration) {
	h.taken++
	if h.taken == 2 {
		h.halt()
	}
}

// A busy worker takes its next key while it lets the last one go. If the controller is stopped meanwhile that key does not run.
func TestAKeyThatABusyWorkerTakesWhenStoppingIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var ran []string
		c, err := controller.New(controller.Config[string]{
			Name:  "test",
			Queue: queue.Config[string]{Metrics: &halting{halt: cancel}},
			Reconcile: func(_ context.Context, key string) controller.Result {
				ran = append(ran, key)
				return controller.Done()
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Enqueue("a")
		c.Enqueue("b")
		if err := c.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(ran, []string{"a"}) {
			t.Errorf("%q ran, want a alone", ran)
		}
		if info, ok := c.Queue().Find("b"); !ok || info.State != queue.Ready {
			t.Errorf("b is %+v, %v; want it to be ready", info, ok)
		}
	})
}

// Of one worker, tenants take turns, however many keys one of them has.
func TestTenantsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		c, err := controller.New(controller.Config[string]{
			Name:  "test",
			Queue: queue.Config[string]{Tenant: func(key string) string { return key[:1] }},
			Reconcile: func(_ context.Context, key string) controller.Result {
				order = append(order, key)
				return controller.Done()
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"a1", "a2", "a3", "a4", "b1", "b2"} {
			c.Enqueue(key)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if want := []string{"a1", "b1", "a2", "b2", "a3", "a4"}; !slices.Equal(order, want) {
			t.Errorf("ran in the order %q, want %q", order, want)
		}
	})
}
