package integration_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
	"github.com/sluice-k8s/sluice/pkg/controller/owner"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A keeper keeps a ConfigMap with the image of each CronTab. It is what the scenes have happen to.
type keeper struct {
	tabs   *cache.Informer[cronTab]
	kept   *cache.Informer[configMap]
	owned  *cache.Index[configMap, string] // by the name of their CronTab
	writer *write.Writer[configMap]
}

// newKeeper returns one that reads CronTabs by one client, and ConfigMaps by another, which it writes by a third.
func newKeeper(namespace string, tabs, kept, writing clients, config cache.Config) *keeper {
	config.MinBackoff, config.MaxBackoff = minWait, maxWait
	k := &keeper{
		tabs: cache.NewInformer(cache.FromClient(tabs.cron.StableV1().CronTabs(namespace)), config),
		kept: cache.NewInformer(cache.FromClient(kept.core.CoreV1().ConfigMaps(namespace)), config),
	}
	k.owned = cache.AddIndex(k.kept.Indexer(), "owner", func(object configMap) ([]string, error) {
		if tab := metav1.GetControllerOfNoCopy(object); tab != nil {
			return []string{tab.Name}, nil
		}
		return nil, nil
	})
	k.writer = write.New(writing.core.CoreV1().ConfigMaps, k.kept.Indexer(), write.Config{FieldManager: "keeper"})
	return k
}

// newKeeper returns one of the administrator.
func (w world) newKeeper() *keeper {
	return newKeeper(w.namespace, w.clients, w.clients, w.clients, cache.Config{})
}

// keep has the ConfigMap have the CronTab's name.
func (k *keeper) keep(ctx context.Context, key key) controller.Result {
	tab, ok := k.tabs.Indexer().Get(key)
	if !ok {
		return controller.Done()
	}
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	_, _, err := k.writer.CreateOrUpdate(ctx, object, func(object configMap) error { return fill(object, tab) })
	return controller.Retry(err)
}

// keepAny has the API server make a name, so that whoever creates twice has two.
func (k *keeper) keepAny(ctx context.Context, key key) controller.Result {
	tab, ok := k.tabs.Indexer().Get(key)
	if !ok {
		return controller.Done()
	}
	for object := range k.owned.Lookup(key.Name) {
		_, _, err := k.writer.Change(ctx, object, func(object configMap) error { return fill(object, tab) })
		return controller.Retry(err)
	}
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, GenerateName: key.Name + "-"}}
	if err := fill(object, tab); err != nil {
		return controller.Park(err)
	}
	_, err := k.writer.Create(ctx, object)
	return controller.Retry(err)
}

// fill makes a ConfigMap what the CronTab wishes.
func fill(object configMap, tab cronTab) error {
	if object.Data == nil {
		object.Data = make(map[string]string)
	}
	object.Data["image"] = tab.Spec.Image
	return owner.Set(object, tab, stablev1.SchemeGroupVersion.WithKind("CronTab"))
}

// Waits after failures, of controllers and informers: long enough to be counted, short enough for tests.
const (
	minWait = 20 * time.Millisecond
	maxWait = time.Second
)

// A scene is a program at work until the test ends.
type scene struct {
	*keeper

	t          *testing.T
	manager    *manager.Manager
	controller *controller.Controller[key]
}

// play runs the keeper's informers, and its controller as the config says.
func (k *keeper) play(t *testing.T, config controller.Config[key]) *scene {
	t.Helper()
	s := &scene{keeper: k, t: t, controller: k.newController(t, config)}
	s.manager = run(t, manager.Config{
		Name:        "scene",
		Informers:   []controller.Runner{k.tabs, k.kept},
		Controllers: []controller.Runner{s.controller},
	})
	return s
}

// run runs a program until the test ends.
func run(t *testing.T, config manager.Config) *manager.Manager {
	t.Helper()
	config.Logger = newLogger(t)
	m, err := manager.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := controlplanetest.Receive(t, "the end of the program", ended); err != nil {
			t.Error(err)
		}
	})
	return m
}

func (k *keeper) newController(t *testing.T, config controller.Config[key]) *controller.Controller[key] {
	t.Helper()
	config.Name = "keeper"
	if config.Reconcile == nil {
		config.Reconcile = k.keep
	}
	if config.Sources == nil {
		config.Sources = k.sources()
	}
	config.Queue.RateLimiter = queue.Exponential[key](queue.ExponentialConfig{Base: minWait, Max: maxWait})
	c, err := controller.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sources say that a CronTab is to be looked at when it changes, or what is kept for it.
func (k *keeper) sources() []controller.Source[key] {
	return []controller.Source[key]{
		controller.For(k.tabs),
		controller.Owns(k.kept, controller.Owner{Group: stablev1.SchemeGroupVersion.Group, Kind: "CronTab"}),
	}
}

func newLogger(t *testing.T) klog.Logger {
	t.Helper()
	return textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(t.Output())))
}

// ready waits until the program is.
func (s *scene) ready() {
	s.t.Helper()
	controlplanetest.Await(s.t, func(context.Context) error { return s.manager.Ready() })
}
