package crontab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/connrotation"
	"k8s.io/utils/clock"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// Name names the controller: in logs, as the manager of the fields it applies, and as the reporter of its events.
const Name = "crontab-controller"

// A failed reconcile is retried after firstRetry; the wait doubles up to lastRetry. A run that comes due meanwhile is late
// by as much at most.
const (
	firstRetry = 200 * time.Millisecond
	lastRetry  = time.Minute
)

// dialTimeout is how long to wait for a connection, as net/http does by default.
const dialTimeout = 30 * time.Second

// Config configures a [Controller]. Client is required.
type Config struct {
	// Client says where the API server is and how to talk to it.
	Client *rest.Config

	// Namespace is the only namespace to work in. Defaults to all.
	Namespace string

	// Workers is how many CronTabs are reconciled at the same time. Defaults to 2.
	Workers int

	// Observe is called after each reconcile. Nil observes nothing.
	Observe func(controller.Observation[types.NamespacedName])

	// Clock says when runs are due. Defaults to the real clock.
	Clock clock.WithTicker
}

func (c Config) withDefaults() Config {
	if c.Workers == 0 {
		c.Workers = 2
	}
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	return c
}

// A Controller runs CronTabs by creating Jobs. Its methods may be called concurrently.
type Controller struct {
	http       *http.Client
	dialer     *connrotation.Dialer
	clock      clock.PassiveClock
	instance   string // names this process in events
	kube       kubernetes.Interface
	stable     versioned.Interface
	crontabs   *cache.Informer[*v1.CronTab]
	jobs       *cache.Informer[*batchv1.Job]
	jobsByUID  *cache.Index[*batchv1.Job, types.UID] // by the UID of the CronTab that controls them
	controller *controller.Controller[types.NamespacedName]
}

// New returns a controller that does nothing until [Controller.Run].
func New(config Config) (*Controller, error) {
	if config.Client == nil {
		return nil, errors.New("crontab: Client is nil; it says where the API server is")
	}
	config = config.withDefaults()
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("crontab: %w", err)
	}
	c := &Controller{clock: config.Clock, instance: host}
	if err := c.connect(config.Client); err != nil {
		return nil, err
	}
	c.watch(config.Namespace)
	c.controller, err = controller.New(controller.Config[types.NamespacedName]{
		Name: Name,
		Sources: []controller.Source[types.NamespacedName]{
			controller.For(c.crontabs),
			controller.Owns(c.jobs, controller.Owner{Group: v1.SchemeGroupVersion.Group, Kind: "CronTab"}),
		},
		Reconcile: c.reconcile,
		Workers:   config.Workers,
		Queue: queue.Config[types.NamespacedName]{
			RateLimiter: queue.Exponential[types.NamespacedName](queue.ExponentialConfig{Base: firstRetry, Max: lastRetry}),
		},
		Observe: config.Observe,
		Clock:   config.Clock,
	})
	return c, err
}

// connect makes the clients. They share connections of their own, which can be closed at the end.
func (c *Controller) connect(config *rest.Config) (err error) {
	config = rest.CopyConfig(config)
	if config.Dial == nil {
		config.Dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: dialTimeout}).DialContext
	}
	c.dialer = connrotation.NewDialer(config.Dial)
	config.Dial = c.dialer.DialContext
	if c.http, err = rest.HTTPClientFor(config); err != nil {
		return fmt.Errorf("crontab: %w", err)
	}
	if c.kube, err = kubernetes.NewForConfigAndClient(config, c.http); err != nil {
		return fmt.Errorf("crontab: %w", err)
	}
	if c.stable, err = versioned.NewForConfigAndClient(config, c.http); err != nil {
		return fmt.Errorf("crontab: %w", err)
	}
	return nil
}

// watch makes the informers: of all CronTabs, and of the Jobs that carry our label.
func (c *Controller) watch(namespace string) {
	c.crontabs = cache.NewInformer(cache.FromClient(c.stable.StableV1().CronTabs(namespace)), cache.Config{Name: "crontabs"})
	c.jobs = cache.NewInformer(cache.FromClient(c.kube.BatchV1().Jobs(namespace)), cache.Config{
		Name:        "jobs",
		ListOptions: func(options *metav1.ListOptions) { options.LabelSelector = Label },
	})
	c.jobsByUID = cache.AddIndex(c.jobs.Indexer(), "controller", func(job *batchv1.Job) ([]types.UID, error) {
		if owner := metav1.GetControllerOfNoCopy(job); owner != nil {
			return []types.UID{owner.UID}, nil
		}
		return nil, nil
	})
}

// CronTabs returns the informer of CronTabs.
func (c *Controller) CronTabs() *cache.Informer[*v1.CronTab] { return c.crontabs }

// Jobs returns the informer of the Jobs that CronTabs have created.
func (c *Controller) Jobs() *cache.Informer[*batchv1.Job] { return c.jobs }

// Status returns what the controller has done so far.
func (c *Controller) Status() controller.Status { return c.controller.Status() }

// Run runs CronTabs until the context is done. Then it finishes what it is at, closes its connections and returns nil.
func (c *Controller) Run(ctx context.Context) error {
	defer c.disconnect()
	return controller.Run(ctx, c.crontabs, c.jobs, c.controller)
}

// disconnect closes all connections, those that are about to become idle included.
func (c *Controller) disconnect() {
	utilnet.CloseIdleConnectionsFor(c.http.Transport)
	c.dialer.CloseAll()
}
