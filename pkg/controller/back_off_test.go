package controller_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A pod with a generation, as those of its kind have.
func generated(version string, generation int64) *corev1.Pod {
	p := pod("a", version)
	p.Generation = generation
	return p
}

// What ends the back-off of a key, and what waits for it to end.
func TestEventsAndBackOff(t *testing.T) {
	deleting := generated("3", 1)
	deleting.DeletionTimestamp = &metav1.Time{}
	watchPods := func(i *cache.Informer[*corev1.Pod]) controller.Source[types.NamespacedName] {
		return controller.Watches(i, func(event podEvent, add func(types.NamespacedName)) { add(event.Key) })
	}
	tests := map[string]struct {
		source func(*cache.Informer[*corev1.Pod]) controller.Source[types.NamespacedName]
		first  *corev1.Pod
		event  func(*watch.FakeWatcher)
		now    bool
	}{
		"new generation":  {forPods, generated("2", 1), func(s *watch.FakeWatcher) { s.Modify(generated("3", 2)) }, true},
		"status":          {forPods, generated("2", 1), func(s *watch.FakeWatcher) { s.Modify(generated("3", 1)) }, false},
		"no generation":   {forPods, generated("2", 0), func(s *watch.FakeWatcher) { s.Modify(generated("3", 0)) }, true},
		"to be deleted":   {forPods, generated("2", 1), func(s *watch.FakeWatcher) { s.Modify(deleting) }, true},
		"deleted":         {forPods, generated("2", 1), func(s *watch.FakeWatcher) { s.Delete(generated("3", 1)) }, true},
		"of another kind": {watchPods, generated("2", 1), func(s *watch.FakeWatcher) { s.Modify(generated("3", 2)) }, false},
		"at once": {
			func(i *cache.Informer[*corev1.Pod]) controller.Source[types.NamespacedName] {
				return controller.AtOnce(watchPods(i))
			},
			generated("2", 1),
			func(s *watch.FakeWatcher) { s.Modify(generated("3", 1)) },
			true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, result := range []controller.Result{controller.Retry(errors.New("a failure")), controller.Park(errors.New("hopeless"))} {
				synctest.Test(t, func(t *testing.T) {
					server := emptyServer{watch.NewFake()}
					pods := cache.NewInformer[*corev1.Pod](server, cache.Config{})
					var runs []time.Time
					c, err := controller.New(controller.Config[types.NamespacedName]{
						Name:    "test",
						Sources: []controller.Source[types.NamespacedName]{test.source(pods)},
						Reconcile: func(context.Context, types.NamespacedName) controller.Result {
							runs = append(runs, time.Now())
							return result
						},
						Queue: queue.Config[types.NamespacedName]{RateLimiter: queue.Exponential[types.NamespacedName](queue.ExponentialConfig{Base: time.Hour})},
					})
					if err != nil {
						t.Fatal(err)
					}
					ctx, cancel := context.WithCancel(t.Context())
					done := make(chan error, 1)
					go func() { done <- controller.Run(ctx, pods, c) }()
					synctest.Wait()
					server.stream.Add(test.first)
					synctest.Wait()
					test.event(server.stream)
					synctest.Wait()
					if now := len(runs) == 2; now != test.now {
						t.Errorf("after %q there were %d runs, want another at once: %v", result, len(runs), test.now)
					}
					cancel()
					if err := <-done; err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}

// A limiter panics when it is asked how long to wait.
type panicking struct{ queue.RateLimiter[string] }

func (panicking) When(string) time.Duration { panic("a bug") }

func TestARateLimiterThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var runs []time.Duration
		c, stop := start(t, controller.Config[string]{
			Queue: queue.Config[string]{RateLimiter: panicking{queue.DefaultRateLimiter[string]()}},
			Reconcile: func(context.Context, string) controller.Result {
				runs = append(runs, time.Since(begin))
				if len(runs) > 2 {
					return controller.Done()
				}
				return controller.Retry(errors.New("not yet"))
			},
		})
		c.Enqueue("a")
		time.Sleep(time.Minute)
		stop()
		if want := []time.Duration{0, time.Second, 2 * time.Second}; !slices.Equal(runs, want) {
			t.Errorf("the runs are at %v, want %v", runs, want)
		}
	})
}
