package controller_test

import (
	"context"
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

// An emptyServer lists nothing and streams what a test sends.
type emptyServer struct{ stream *watch.FakeWatcher }

func (emptyServer) List(context.Context, metav1.ListOptions) (cache.Page[*corev1.Pod], error) {
	return cache.Page[*corev1.Pod]{ResourceVersion: "1"}, nil
}

func (s emptyServer) Watch(context.Context, metav1.ListOptions) (watch.Interface, error) {
	return s.stream, nil
}

func pod(name, version string, owners ...metav1.OwnerReference) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Name: name, UID: types.UID(name), ResourceVersion: version, OwnerReferences: owners,
	}}
}

func ownedBy(apiVersion, kind, name string, controls bool) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: apiVersion, Kind: kind, Name: name, Controller: new(controls)}
}

// keysOf sends events through a source and returns the names of the keys it adds.
func keysOf(t *testing.T, source func(*cache.Informer[*corev1.Pod]) controller.Source[types.NamespacedName], send func(*watch.FakeWatcher)) []string {
	t.Helper()
	server := emptyServer{watch.NewFake()}
	informer := cache.NewInformer[*corev1.Pod](server, cache.Config{})
	keys := make(chan string, 100)
	subscription := source(informer).Subscribe(controller.Target[types.NamespacedName]{
		Controller: "test",
		Add:        func(key types.NamespacedName, _ queue.AddOptions) { keys <- key.String() },
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- informer.Run(ctx) }()
	if err := subscription.WaitForSync(t.Context()); err != nil {
		t.Fatal(err)
	}
	send(server.stream)
	synctest.Wait()
	subscription.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	close(keys)
	var got []string
	for key := range keys {
		got = append(got, key)
	}
	return got
}

func forPods(pods *cache.Informer[*corev1.Pod]) controller.Source[types.NamespacedName] {
	return controller.For(pods)
}

func TestForAddsTheObjectsKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := keysOf(t, forPods, func(stream *watch.FakeWatcher) {
			stream.Add(pod("a", "2"))
			synctest.Wait()
			stream.Delete(pod("a", "3"))
		})
		if want := []string{"ns/a", "ns/a"}; !slices.Equal(got, want) {
			t.Errorf("added %q, want %q", got, want)
		}
	})
}

func TestOwnsAddsTheControllersKey(t *testing.T) {
	replicaSet := controller.Owner{Group: "apps", Kind: "ReplicaSet"}
	web := ownedBy("apps/v1", "ReplicaSet", "web", true)
	db := ownedBy("apps/v1beta1", "ReplicaSet", "db", true)
	tests := map[string]struct {
		send func(*watch.FakeWatcher)
		want []string
	}{
		"of the kind, whatever its version": {func(s *watch.FakeWatcher) { s.Add(pod("a", "2", db)) }, []string{"ns/db"}},
		"not the controller":                {func(s *watch.FakeWatcher) { s.Add(pod("a", "2", ownedBy("apps/v1", "ReplicaSet", "web", false))) }, nil},
		"of another kind":                   {func(s *watch.FakeWatcher) { s.Add(pod("a", "2", ownedBy("apps/v1", "DaemonSet", "web", true))) }, nil},
		"of another group":                  {func(s *watch.FakeWatcher) { s.Add(pod("a", "2", ownedBy("example.com/v1", "ReplicaSet", "web", true))) }, nil},
		"nobody's":                          {func(s *watch.FakeWatcher) { s.Add(pod("a", "2")) }, nil},
		"deleted":                           {func(s *watch.FakeWatcher) { s.Add(pod("a", "2", web)); synctest.Wait(); s.Delete(pod("a", "3", web)) }, []string{"ns/web", "ns/web"}},
		"once when the owner stays":         {func(s *watch.FakeWatcher) { s.Add(pod("a", "2", web)); synctest.Wait(); s.Modify(pod("a", "3", web)) }, []string{"ns/web", "ns/web"}},
		"both owners when it changes":       {func(s *watch.FakeWatcher) { s.Add(pod("a", "2", web)); synctest.Wait(); s.Modify(pod("a", "3", db)) }, []string{"ns/web", "ns/db", "ns/web"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := func(i *cache.Informer[*corev1.Pod]) controller.Source[types.NamespacedName] {
					return controller.Owns(i, replicaSet)
				}
				if got := keysOf(t, source, test.send); !slices.Equal(got, test.want) {
					t.Errorf("added %q, want %q", got, test.want)
				}
			})
		})
	}
}

func TestWatchesMapsToAnyKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := func(i *cache.Informer[*corev1.Pod]) controller.Source[types.NamespacedName] {
			return controller.Watches(i, func(event cache.Event[*corev1.Pod], add func(types.NamespacedName)) {
				for _, name := range []string{"first", "second"} {
					add(types.NamespacedName{Namespace: event.Object.Name, Name: name})
				}
			})
		}
		got := keysOf(t, source, func(stream *watch.FakeWatcher) { stream.Add(pod("a", "2")) })
		if want := []string{"a/first", "a/second"}; !slices.Equal(got, want) {
			t.Errorf("added %q, want %q", got, want)
		}
	})
}
