package manager_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/events"
	"github.com/sluice-k8s/sluice/pkg/controller/lease"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
)

// server is the transport to a server that accepts each write, and notes it in a diary.
type server struct{ diary *diary }

func (s server) RoundTrip(request *http.Request) (*http.Response, error) {
	s.diary.write("written: " + request.URL.Path[strings.LastIndex(request.URL.Path, "/")+1:])
	return &http.Response{
		StatusCode: http.StatusCreated, Body: request.Body, Header: http.Header{"Content-Type": {"application/json"}},
	}, nil
}

// behind returns clients of the server that write only while the elector leads.
func behind(t *testing.T, e *lease.Elector, d *diary) kubernetes.Interface {
	t.Helper()
	config := &rest.Config{Host: "https://server", Transport: server{d}, ContentConfig: rest.ContentConfig{ContentType: runtime.ContentTypeJSON}}
	config.Wrap(e.Fence().Wrap)
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return clients
}

// scene is a program of real parts: an informer, a controller, a recorder of events, and an elector with its fence.
type scene struct {
	*program

	elector *lease.Elector
	diary   *diary
	cut     atomic.Bool // from the lease
}

// play starts a program that reconciles two ConfigMaps, one at a time.
func play(t *testing.T, reconcile func(ctx context.Context, clients kubernetes.Interface) error) *scene {
	t.Helper()
	s := &scene{diary: &diary{}}
	cluster := fake.NewClientset(configMap("one"), configMap("two"))
	s.elector = elector(t, cluster, s.diary, "one", s.cut.Load)
	clients := behind(t, s.elector, s.diary)
	recorder, err := events.New(events.Config{Client: clients.EventsV1(), Controller: "test"})
	if err != nil {
		t.Fatal(err)
	}
	configMaps := cache.NewInformer(cache.FromClient(cluster.CoreV1().ConfigMaps("")), cache.Config{})
	worker, err := controller.New(controller.Config[types.NamespacedName]{
		Name:    "real",
		Sources: []controller.Source[types.NamespacedName]{controller.For(configMaps)},
		Reconcile: func(ctx context.Context, _ types.NamespacedName) controller.Result {
			s.diary.write("reconcile begins")
			if err := reconcile(ctx, clients); err != nil {
				return controller.Retry(err)
			}
			recorder.Normal(configMap("one"), "Written", "Write", "it was written")
			s.diary.write("reconcile ends")
			return controller.Done()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.program = start(t, manager.Config{
		Informers: runners{configMaps}, Controllers: runners{worker}, Recorders: runners{recorder}, Election: s.elector,
	})
	return s
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
}

func create(ctx context.Context, clients kubernetes.Interface) error {
	_, err := clients.CoreV1().ConfigMaps("default").Create(ctx, configMap("made"), metav1.CreateOptions{})
	return err
}

// SIGTERM comes in mid-reconcile. No other key is handed out; the reconcile finishes its writes, with a live context; its event is
// sent; then the lease is given up. Nothing is refused on the way.
func TestStoppedInMidReconcile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, func(ctx context.Context, clients kubernetes.Interface) error {
			time.Sleep(15 * time.Second)
			return errors.Join(ctx.Err(), create(ctx, clients))
		})
		time.Sleep(time.Second)
		if err := s.ends(); err != nil {
			t.Errorf("Run: %v", err)
		}
		s.diary.inOrder(t, "reconcile begins", "written: configmaps", "reconcile ends", "written: events", "lease given up")
		if begun := s.diary.count("reconcile begins"); begun != 1 || s.elector.Fence().Refused() != 0 {
			t.Errorf("%d reconciles, %d writes refused; want 1 and none", begun, s.elector.Fence().Refused())
		}
	})
}

// The lease is lost in mid-reconcile. What it writes then is refused, and so are its events.
func TestTheLeaseIsLostInMidReconcile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := make(chan error, 2)
		s := play(t, func(ctx context.Context, clients kubernetes.Interface) error {
			time.Sleep(15 * time.Second)
			refused <- create(ctx, clients)
			return nil
		})
		s.cut.Store(true)
		if err := <-s.ended; !errors.Is(err, lease.ErrLost) {
			t.Errorf("Run: %v", err)
		}
		if err := <-refused; !errors.Is(err, lease.ErrNotLeader) {
			t.Errorf("a write after the lease was lost: %v", err)
		}
		s.diary.inOrder(t, "reconcile begins", "reconcile ends")
		s.diary.lacks(t, "written: configmaps", "written: events", "lease given up")
	})
}

// The lease is lost while it drains: the writes that are still to be made are not made.
func TestTheLeaseIsLostWhileItDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, func(ctx context.Context, clients kubernetes.Interface) error {
			time.Sleep(15 * time.Second)
			return create(ctx, clients)
		})
		time.Sleep(time.Second)
		s.stop(errTerminated)
		s.cut.Store(true)
		if err := <-s.ended; !errors.Is(err, lease.ErrLost) {
			t.Errorf("Run: %v", err)
		}
		s.diary.lacks(t, "written: configmaps", "written: events", "lease given up")
	})
}

// A real informer whose watch is refused: the list was good, but from some time on nobody knows whether it still is.
func TestAStaleInformerIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refuse atomic.Bool
		cluster := fake.NewClientset(configMap("one"))
		open := make(chan *watch.FakeWatcher, 100)
		cluster.PrependWatchReactor("configmaps", func(clienttesting.Action) (bool, watch.Interface, error) {
			if refuse.Load() {
				return true, nil, errors.New("no watch today")
			}
			w := watch.NewFake()
			open <- w
			return true, w, nil
		})
		configMaps := cache.NewInformer(cache.FromClient(cluster.CoreV1().ConfigMaps("")), cache.Config{})
		p := start(t, manager.Config{Informers: runners{configMaps}})
		time.Sleep(time.Second)
		if err := p.Ready(); err != nil {
			t.Errorf("ready: %v", err)
		}
		refuse.Store(true)
		(<-open).Stop()
		time.Sleep(6 * time.Minute)
		if err := p.Ready(); err == nil || !strings.Contains(err.Error(), "no watch today") {
			t.Errorf("ready: %v, want that it is stale", err)
		}
		if page := ask(p.Handler(), func(*http.Request) {}); page.Code != http.StatusInternalServerError {
			t.Errorf("page %d %q", page.Code, page.Body)
		}
		refuse.Store(false)
		(<-open).Action(watch.Bookmark, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "7"}})
		synctest.Wait()
		if err := p.Ready(); err != nil {
			t.Errorf("ready: %v", err)
		}
		if err := p.ends(); err != nil {
			t.Error(err)
		}
	})
}
