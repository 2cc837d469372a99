package cache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
)

func TestMain(m *testing.M) { os.Exit(controlplanetest.RunCheckingLeaks(m)) }

type configMap = *corev1.ConfigMap

// A cluster is what a test on the real API server works with.
type cluster struct {
	t         *testing.T
	client    kubernetes.Interface
	namespace string
}

func newCluster(t *testing.T) cluster {
	t.Helper()
	return cluster{t, controlplanetest.Clientset(t, controlplanetest.Config(t)), controlplanetest.Namespace(t)}
}

func (c cluster) source() cache.ListerWatcher[configMap] {
	return cache.FromClient(c.client.CoreV1().ConfigMaps(c.namespace))
}

// ours leaves out what the control plane puts into every namespace.
func ours(opts *metav1.ListOptions) { opts.LabelSelector = "test=ours" }

func (c cluster) create(names ...string) {
	c.t.Helper()
	for _, name := range names {
		obj := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"test": "ours"}}}
		if _, err := c.client.CoreV1().ConfigMaps(c.namespace).Create(c.t.Context(), obj, metav1.CreateOptions{}); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c cluster) update(name string) {
	c.t.Helper()
	patch := []byte(`{"data":{"changed":"yes"}}`)
	_, err := c.client.CoreV1().ConfigMaps(c.namespace).Patch(c.t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c cluster) delete(name string) {
	c.t.Helper()
	if err := c.client.CoreV1().ConfigMaps(c.namespace).Delete(c.t.Context(), name, metav1.DeleteOptions{}); err != nil {
		c.t.Fatal(err)
	}
}

// run runs an informer until the test ends and returns it synced, with its events.
func run[T cache.Object](t *testing.T, source cache.ListerWatcher[T], config cache.Config) (*cache.Informer[T], <-chan cache.Event[T]) {
	t.Helper()
	informer := cache.NewInformer(source, config)
	events := make(chan cache.Event[T], 1000)
	informer.Subscribe("test", func(_ context.Context, event cache.Event[T]) { events <- event })
	stopped := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { stopped <- informer.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	wait, cancelWait := context.WithTimeout(t.Context(), controlplanetest.Patience)
	defer cancelWait()
	if err := informer.WaitForSync(wait); err != nil {
		t.Fatal(err)
	}
	return informer, events
}

// expect waits for the events, given as "Type name".
func expect[T cache.Object](t *testing.T, events <-chan cache.Event[T], want ...string) {
	t.Helper()
	for _, want := range want {
		select {
		case event := <-events:
			if got := fmt.Sprintf("%s %s", event.Type, event.Key.Name); got != want {
				t.Fatalf("the next event is %q, want %q", got, want)
			}
		case <-time.After(controlplanetest.Patience):
			t.Fatalf("no event came, want %q", want)
		}
	}
}

// A tap counts the requests that pass through it, and can change those for a watch.
type tap[T cache.Object] struct {
	cache.ListerWatcher[T]
	lists, watches atomic.Int32
	change         func(watch int32, opts *metav1.ListOptions)
}

func (s *tap[T]) List(ctx context.Context, opts metav1.ListOptions) (cache.Page[T], error) {
	s.lists.Add(1)
	return s.ListerWatcher.List(ctx, opts)
}

func (s *tap[T]) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	n := s.watches.Add(1)
	if s.change != nil {
		s.change(n, &opts)
	}
	return s.ListerWatcher.Watch(ctx, opts)
}

func TestRealServerPages(t *testing.T) {
	c := newCluster(t)
	var names []string
	for n := range 25 {
		names = append(names, fmt.Sprintf("page-%02d", n))
	}
	c.create(names...)
	source := &tap[configMap]{ListerWatcher: c.source()}
	informer, _ := run(t, source, cache.Config{PageSize: 10, ListOptions: ours})
	var got []string
	for obj := range informer.Indexer().All() {
		got = append(got, obj.Name)
	}
	slices.Sort(got)
	if !slices.Equal(got, names) {
		t.Errorf("the cache has %q, want %q", got, names)
	}
	if got := source.lists.Load(); got != 3 {
		t.Errorf("%d list requests, want 3 pages", got)
	}
}

func TestRealServerChanges(t *testing.T) {
	c := newCluster(t)
	c.create("first")
	informer, events := run(t, c.source(), cache.Config{ListOptions: ours})
	expect(t, events, "Added first")
	c.create("second")
	expect(t, events, "Added second")
	c.update("second")
	expect(t, events, "Updated second")
	c.delete("second")
	expect(t, events, "Deleted second")
	if got := informer.Indexer().Len(); got != 1 {
		t.Errorf("%d objects in the cache, want 1", got)
	}
}

// The server ends each watch after a second. Nothing is lost, and nothing is listed again.
func TestRealServerEndsWatches(t *testing.T) {
	c := newCluster(t)
	again := make(chan struct{})
	source := &tap[configMap]{ListerWatcher: c.source(), change: func(watch int32, _ *metav1.ListOptions) {
		if watch == 3 {
			close(again)
		}
	}}
	informer, events := run(t, source, cache.Config{
		ListOptions: ours, WatchTimeout: time.Second, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond,
	})
	c.create("before")
	expect(t, events, "Added before")
	select {
	case <-again:
	case <-time.After(controlplanetest.Patience):
		t.Fatal("the watch was not opened again")
	}
	c.create("after")
	expect(t, events, "Added after")
	if got := informer.Status(); got.Lists != 1 {
		t.Errorf("listed %d times, want once: %+v", got.Lists, got)
	}
}

// The server has no history of a resource from before its definition: 410 Gone.
func TestRealServerForgetsVersions(t *testing.T) {
	controlplanetest.InstallCRD(t, "../generated/crds/stable.example.com_crontabs.yaml")
	namespace := controlplanetest.Namespace(t)
	config := controlplanetest.Config(t)
	clients, err := versioned.NewForConfigAndClient(config, controlplanetest.HTTPClient(t, config))
	if err != nil {
		t.Fatal(err)
	}
	client := clients.StableV1().CronTabs(namespace)
	source := &tap[*stablev1.CronTab]{ListerWatcher: cache.FromClient(client)}
	source.change = func(_ int32, opts *metav1.ListOptions) {
		if source.lists.Load() == 1 { // the server may put the watch off, and is asked again
			opts.ResourceVersion = "1"
		}
	}
	informer, events := run(t, source, cache.Config{})
	want := &stablev1.CronTab{ObjectMeta: metav1.ObjectMeta{Name: "first"}, Spec: stablev1.CronTabSpec{Schedule: "@hourly", Image: "busybox"}}
	if _, err := client.Create(t.Context(), want, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	expect(t, events, "Added first")
	if got := informer.Status(); got.Lists != 2 || got.Endings["watch expired"] != 1 {
		t.Errorf("listed %d times, want a list after the watch that was refused: %+v", got.Lists, got)
	}
}

func TestRealServerRefuses(t *testing.T) {
	config := controlplanetest.Config(t)
	config.Impersonate = rest.ImpersonationConfig{UserName: "somebody"}
	client := controlplanetest.Clientset(t, config)
	refused := make(chan struct{}, 1)
	informer := cache.NewInformer(cache.FromClient(client.CoreV1().ConfigMaps("default")), cache.Config{
		OnError: func(context.Context, error) {
			select {
			case refused <- struct{}{}:
			default: // one is enough
			}
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- informer.Run(ctx) }()
	select {
	case <-refused:
	case <-time.After(controlplanetest.Patience):
		t.Fatal("no error was reported")
	}
	wait, cancelWait := context.WithCancel(ctx)
	cancelWait()
	err := informer.WaitForSync(wait)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), `User "somebody" cannot watch resource "configmaps"`) {
		t.Errorf("the error is %q, want it to tell who may not do what", err)
	}
	cancel()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
