package controller_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A onePodServer lists one pod and streams what a test sends.
type onePodServer struct{ emptyServer }

func (onePodServer) List(context.Context, metav1.ListOptions) (cache.Page[*corev1.Pod], error) {
	return cache.Page[*corev1.Pod]{ResourceVersion: "1", Items: []*corev1.Pod{generated("1", 1)}}, nil
}

type podSource = func(*cache.Informer[*corev1.Pod]) controller.Source[types.NamespacedName]

// addsOf tells how a source adds a pod that is there at first, gets a new status, a new generation, is resynced and deleted.
func addsOf(t *testing.T, source podSource, triggers bool) (adds []string) {
	t.Helper()
	server := onePodServer{emptyServer{watch.NewFake()}}
	informer := cache.NewInformer[*corev1.Pod](server, cache.Config{Name: "pods", NotifyUnchanged: true})
	subscription := source(informer).Subscribe(controller.Target[types.NamespacedName]{
		Controller: "test",
		Triggers:   triggers,
		Add: func(_ types.NamespacedName, o queue.AddOptions) {
			adds = append(adds, fmt.Sprintf("%v now=%v %s:%s:%s", o.Priority, o.Now, o.Trigger.Source, o.Trigger.Cause, o.Trigger.Object))
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- informer.Run(ctx) }()
	synctest.Wait()
	server.stream.Modify(generated("2", 1))
	synctest.Wait()
	server.stream.Modify(generated("3", 2))
	synctest.Wait()
	server.stream.Modify(generated("3", 2)) // again
	synctest.Wait()
	server.stream.Delete(generated("4", 2))
	synctest.Wait()
	subscription.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return adds
}

func TestHowSourcesAdd(t *testing.T) {
	watchPods := func(i *cache.Informer[*corev1.Pod]) controller.Source[types.NamespacedName] {
		return controller.Watches(i, func(event podEvent, add func(types.NamespacedName)) { add(event.Key) })
	}
	tests := map[string]struct {
		source   podSource
		triggers bool
		want     []string
	}{
		"for": {forPods, true, []string{
			"low now=false pods:initial:", "normal now=false pods:updated:", "normal now=true pods:updated:",
			"background now=false pods:resync:", "normal now=true pods:deleted:",
		}},
		"watches": {watchPods, true, []string{
			"low now=false pods:initial:ns/a", "normal now=false pods:updated:ns/a", "normal now=false pods:updated:ns/a",
			"background now=false pods:resync:ns/a", "normal now=false pods:deleted:ns/a",
		}},
		"nobody wants to know why": {forPods, false, []string{
			"low now=false ::", "normal now=false ::", "normal now=true ::", "background now=false ::", "normal now=true ::",
		}},
		"mapped": {func(i *cache.Informer[*corev1.Pod]) controller.Source[types.NamespacedName] {
			return controller.Mapped(forPods(i), func(key types.NamespacedName) types.NamespacedName { return key })
		}, true, []string{
			"low now=false pods:initial:", "normal now=false pods:updated:", "normal now=true pods:updated:",
			"background now=false pods:resync:", "normal now=true pods:deleted:",
		}},
		"only new generations": {func(i *cache.Informer[*corev1.Pod]) controller.Source[types.NamespacedName] {
			return controller.For(i, controller.GenerationChanged)
		}, false, []string{
			"low now=false ::", "normal now=true ::", "background now=false ::", "normal now=true ::",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := addsOf(t, test.source, test.triggers); !slices.Equal(got, test.want) {
					t.Errorf("added as %q, want %q", got, test.want)
				}
			})
		})
	}
}

// Owners that do not control the object count if asked, and those that have no namespace.
func TestOwnsAnyAndClusterScoped(t *testing.T) {
	tests := map[string]struct {
		owner controller.Owner
		want  []string
	}{
		"the controller": {controller.Owner{Group: "apps", Kind: "ReplicaSet"}, []string{"ns/web"}},
		"any":            {controller.Owner{Group: "apps", Kind: "ReplicaSet", Any: true}, []string{"ns/web", "ns/db"}},
		"of the cluster": {controller.Owner{Group: "apps", Kind: "ReplicaSet", ClusterScoped: true}, []string{"/web"}},
		"core":           {controller.Owner{Kind: "Node", ClusterScoped: true, Any: true}, []string{"/n1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := func(i *cache.Informer[*corev1.Pod]) controller.Source[types.NamespacedName] {
					return controller.Owns(i, test.owner)
				}
				got := keysOf(t, source, func(s *watch.FakeWatcher) {
					s.Add(pod("a", "2",
						ownedBy("apps/v1", "ReplicaSet", "web", true),
						ownedBy("apps/v1", "ReplicaSet", "db", false),
						metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: "n1"},
						metav1.OwnerReference{APIVersion: "a/b/c", Kind: "ReplicaSet", Name: "broken"}))
				})
				if !slices.Equal(got, test.want) {
					t.Errorf("added %q, want %q", got, test.want)
				}
			})
		})
	}
}
