package integration_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/client"
	"github.com/sluice-k8s/sluice/pkg/controller/events"
	"github.com/sluice-k8s/sluice/pkg/controller/lease"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

// These make this test binary a program: which one, and in which namespace. KUBECONFIG says where.
const (
	programEnv   = "SLUICE_TEST_PROGRAM"
	namespaceEnv = "SLUICE_TEST_NAMESPACE"
)

// The programs.
const (
	diligent = "diligent" // finishes its work when it is stopped
	deaf     = "deaf"     // hears nothing
)

// program is a whole program, with all that is to be stopped in order. It tells on its standard output how far it is.
func program(ctx context.Context) error {
	config, err := client.Load(client.Options{UserAgent: programName(), QPS: -1})
	if err != nil {
		return err
	}
	options := manager.Options{LeaderElect: true, LeaseName: programName(), LeaseNamespace: os.Getenv(namespaceEnv)}
	elector, err := options.Elect(config)
	if err != nil {
		return err
	}
	clients, err := client.New(config)
	if err != nil {
		return err
	}
	w, err := newWorker(clients)
	if err != nil {
		return err
	}
	m, err := w.manager(elector)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { tell("stopping") })
	return m.Run(ctx)
}

func programName() string { return os.Getenv(programEnv) }

// tell tells the test how far the program is.
func tell(what string) { fmt.Fprintln(os.Stdout, what) }

// A worker is what the program is for: it begins with the ConfigMap "work", waits for "more", and makes "result".
type worker struct {
	namespace string
	objects   *cache.Informer[configMap]
	writer    *write.Writer[configMap]
	recorder  *events.Recorder
	more      chan struct{}
}

func newWorker(clients *client.Clients) (*worker, error) {
	w := &worker{namespace: os.Getenv(namespaceEnv), more: make(chan struct{})}
	core := clients.Typed.CoreV1()
	w.objects = cache.NewInformer(cache.FromClient(core.ConfigMaps(w.namespace)), cache.Config{})
	w.objects.Subscribe("more", func(_ context.Context, event cache.Event[configMap]) {
		if event.Type == cache.Added && event.Key.Name == "more" {
			close(w.more)
		}
	})
	w.writer = write.New(core.ConfigMaps, w.objects.Indexer(), write.Config{})
	var err error
	w.recorder, err = events.New(events.Config{Client: clients.Typed.EventsV1(), Controller: "worker"})
	return w, err
}

func (w *worker) manager(elector *lease.Elector) (*manager.Manager, error) {
	config := controller.Config[key]{
		Name: "worker", Sources: []controller.Source[key]{controller.For(w.objects)}, Reconcile: w.reconcile,
	}
	grace := time.Minute
	if programName() == deaf {
		config.GracePeriod, grace = 50*time.Millisecond, 200*time.Millisecond
	}
	c, err := controller.New(config)
	if err != nil {
		return nil, err
	}
	return manager.New(manager.Config{
		Name:        "worker",
		Informers:   []controller.Runner{w.objects},
		Controllers: []controller.Runner{c},
		Recorders:   []controller.Runner{w.recorder},
		Election:    elector,
		GracePeriod: grace,
	})
}

func (w *worker) reconcile(ctx context.Context, key key) controller.Result {
	object, ok := w.objects.Indexer().Get(key)
	if !ok || key.Name != "work" {
		return controller.Done()
	}
	w.recorder.Normal(object, "Working", "Work", "it takes a while")
	tell("working")
	if programName() == deaf {
		select {}
	}
	select {
	case <-w.more:
	case <-ctx.Done():
		return controller.Retry(errors.New("the context has not lived on"))
	}
	w.recorder.Normal(object, "Working", "Work", "it takes a while") // counted, and told at the end
	result := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "result"}}
	_, err := w.writer.Create(ctx, result)
	return controller.Retry(err)
}
