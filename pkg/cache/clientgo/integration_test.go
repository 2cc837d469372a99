package clientgo_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/cache/clientgo"
)

// A cluster is a real API server with a factory of informers of config maps on it.
type cluster struct {
	*testing.T
	client    kubernetes.Interface
	namespace string
	factory   informers.SharedInformerFactory
	outage    outage
}

func newCluster(t *testing.T, resync time.Duration) *cluster {
	t.Helper()
	client := controlplanetest.Clientset(t, controlplanetest.Config(t))
	c := &cluster{T: t, client: client, namespace: controlplanetest.Namespace(t)}
	c.outage.opened = make(chan watch.Interface, 100)
	c.factory = informers.NewSharedInformerFactoryWithOptions(client, resync, informers.WithNamespace(c.namespace))
	wantOK(t, clientgo.Use(c.factory, &corev1.ConfigMap{}, c.source, cache.SharedIndexInformerOptions{}))
	return c
}

// Source reads those config maps that the control plane did not make. Its client can stream lists.
func (c *cluster) source(client kubernetes.Interface) cache.ListerWatcher {
	ours := clientgo.FromClient(client.CoreV1().ConfigMaps(c.namespace))
	list, watching := ours.ListWithContextFunc, ours.WatchFuncWithContext
	ours.ListWithContextFunc = func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		options.LabelSelector = "test=ours"
		return list(ctx, options)
	}
	ours.WatchFuncWithContext = func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		options.LabelSelector = "test=ours"
		return c.outage.watch(ctx, options, watching)
	}
	return cache.ToListWatcherWithWatchListSemantics(ours, client)
}

// Start runs the factory until the test ends.
func (c *cluster) start() {
	c.Helper()
	ctx, cancel := context.WithCancel(c.Context())
	c.Cleanup(func() { cancel(); c.factory.Shutdown() })
	c.factory.StartWithContext(ctx)
	wait, cancelWait := context.WithTimeout(ctx, controlplanetest.Patience)
	defer cancelWait()
	wantOK(c, c.factory.WaitForCacheSyncWithContext(wait).AsError())
}

func (c *cluster) create(names ...string) {
	c.Helper()
	for _, name := range names {
		obj := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"test": "ours"}}}
		_, err := c.client.CoreV1().ConfigMaps(c.namespace).Create(c.Context(), obj, metav1.CreateOptions{})
		wantOK(c, err)
	}
}

func (c *cluster) update(name, data string) {
	c.Helper()
	patch := fmt.Appendf(nil, `{"data":{"text":%q}}`, data)
	_, err := c.client.CoreV1().ConfigMaps(c.namespace).Patch(c.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{})
	wantOK(c, err)
}

func (c *cluster) delete(name string) {
	c.Helper()
	wantOK(c, c.client.CoreV1().ConfigMaps(c.namespace).Delete(c.Context(), name, metav1.DeleteOptions{}))
}

// Shouting is a controller as they are written with client-go: it makes the text of each config map upper case.
type shouting struct {
	client kubernetes.Interface
	lister corelisters.ConfigMapLister
	queue  workqueue.TypedRateLimitingInterface[string]
	done   chan string // the text of a config map that is as it should be
}

func newShouting(c *cluster) *shouting {
	s := &shouting{
		client: c.client,
		lister: c.factory.Core().V1().ConfigMaps().Lister(),
		queue:  workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()),
		done:   make(chan string, 100),
	}
	enqueue := func(obj any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(obj); err == nil {
			s.queue.Add(key)
		}
	}
	_, err := c.factory.Core().V1().ConfigMaps().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, obj any) { enqueue(obj) },
		DeleteFunc: enqueue,
	})
	wantOK(c, err)
	return s
}

// Run works until the queue is shut down.
func (s *shouting) run(ctx context.Context) {
	for key, shutdown := s.queue.Get(); !shutdown; key, shutdown = s.queue.Get() {
		if err := s.sync(ctx, key); err != nil {
			s.queue.AddRateLimited(key)
		} else {
			s.queue.Forget(key)
		}
		s.queue.Done(key)
	}
}

func (s *shouting) sync(ctx context.Context, key string) error {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return err
	}
	cached, err := s.lister.ConfigMaps(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		s.done <- "no " + name
		return nil
	}
	if err != nil {
		return err
	}
	text := cached.Data["text"]
	if loud := strings.ToUpper(text); loud != text {
		changed := cached.DeepCopy()
		changed.Data["text"] = loud
		_, err = s.client.CoreV1().ConfigMaps(namespace).Update(ctx, changed, metav1.UpdateOptions{})
		return err
	}
	s.done <- text
	return nil
}

func TestRealServerController(t *testing.T) {
	c := newCluster(t, 0)
	c.create("a")
	controller := newShouting(c)
	c.start()
	var working sync.WaitGroup
	defer working.Wait()
	defer controller.queue.ShutDown()
	working.Go(func() { controller.run(t.Context()) })

	expect(t, controller.done, "")
	c.update("a", "hello")
	expect(t, controller.done, "HELLO")
	c.create("b")
	c.update("b", "world")
	expect(t, controller.done, "WORLD")
	listed, err := controller.lister.ConfigMaps(c.namespace).List(labels.Everything())
	if len(listed) != 2 || err != nil {
		t.Errorf("the lister has %d config maps, %v", len(listed), err)
	}
	c.delete("a")
	expect(t, controller.done, "no a")
}

// What happens while the server's history is lost is found by a list: what is gone, what is new, what is another object.
func TestRealServerRelist(t *testing.T) {
	c := newCluster(t, 0)
	c.create("same", "changed", "gone", "replaced")
	handler := &channelled{told: make(chan string, 100)}
	_, err := c.factory.Core().V1().ConfigMaps().Informer().AddEventHandler(handler)
	wantOK(t, err)
	c.start()
	handler.expect(t, "add changed", "add gone", "add replaced", "add same")
	end := c.outage.begin(t)
	c.update("changed", "yes")
	c.delete("gone")
	c.delete("replaced")
	c.create("new", "replaced")
	end()
	handler.expect(t, "add new", "add replaced", "lost gone", "lost replaced", "update changed", "update same")
	c.create("after")
	handler.expect(t, "add after")
}

func TestRealServerResync(t *testing.T) {
	c := newCluster(t, time.Second)
	c.create("a")
	handler := &channelled{told: make(chan string, 100)}
	_, err := c.factory.Core().V1().ConfigMaps().Informer().AddEventHandler(handler)
	wantOK(t, err)
	c.start()
	handler.expect(t, "add a")
	handler.expect(t, "update a")
	handler.expect(t, "update a")
}

// An outage of watches, at the end of which the server has forgotten where they were.
type outage struct {
	opened chan watch.Interface

	mu   sync.Mutex
	over chan struct{} // nil without an outage
}

func (o *outage) watch(
	ctx context.Context, options metav1.ListOptions,
	from func(context.Context, metav1.ListOptions) (watch.Interface, error),
) (watch.Interface, error) {
	if over := o.take(); over != nil {
		select {
		case <-over:
		case <-ctx.Done():
		}
		return nil, apierrors.NewResourceExpired("too old resource version")
	}
	watcher, err := from(ctx, options)
	if err == nil {
		o.opened <- watcher
	}
	return watcher, err
}

// Take returns what to wait for, if there is an outage, and only once.
func (o *outage) take() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	over := o.over
	o.over = nil
	return over
}

// Begin ends the watch there is. The returned function ends the outage.
func (o *outage) begin(t *testing.T) (end func()) {
	t.Helper()
	watcher := receive(t, o.opened)
	over := make(chan struct{})
	o.mu.Lock()
	o.over = over
	o.mu.Unlock()
	watcher.Stop()
	return func() { close(over) }
}

// Channelled is a handler that sends what it is told.
type channelled struct{ told chan string }

func (c *channelled) OnAdd(obj any, _ bool)  { c.told <- "add " + obj.(*corev1.ConfigMap).Name }
func (c *channelled) OnUpdate(_, newObj any) { c.told <- "update " + newObj.(*corev1.ConfigMap).Name }

func (c *channelled) OnDelete(obj any) {
	if tombstone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		c.told <- "lost " + tombstone.Obj.(*corev1.ConfigMap).Name
		return
	}
	c.told <- "delete " + obj.(*corev1.ConfigMap).Name
}

// Expect waits for so many calls and compares them in any order.
func (c *channelled) expect(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for range want {
		got = append(got, receive(t, c.told))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("the handler was told %q, want %q", got, want)
	}
}

// Expect waits until a text comes; others may come before.
func expect(t *testing.T, from <-chan string, want string) {
	t.Helper()
	for receive(t, from) != want {
		continue
	}
}

func receive[E any](t *testing.T, from <-chan E) (element E) {
	t.Helper()
	select {
	case element = <-from:
	case <-time.After(controlplanetest.Patience):
		t.Fatal("nothing came")
	}
	return element
}
