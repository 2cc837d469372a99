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
