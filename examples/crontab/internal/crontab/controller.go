package crontab

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/events"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned/scheme"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// Name names the controller: in logs, as the manager of the fields it writes, and as the reporter of its events.
const Name = "crontab-controller"

// A failed reconcile is retried after firstRetry; the wait doubles up to lastRetry. A run that comes due meanwhile is late
// by as much at most.
const (
	firstRetry = 200 * time.Millisecond
	lastRetry  = time.Minute
)

// Config configures a [Controller]. The zero value works.
type Config struct {
	// Namespace is the only namespace to work in. Defaults to all.
	Namespace string

	// Workers is how many CronTabs are reconciled at the same time. Defaults to 1.
	Workers int

	// Observe is called after each reconcile. Nil observes nothing.
	Observe func(controller.Observation[types.NamespacedName])

	// Clock says when runs are due. Defaults to the real clock.
	Clock clock.WithTicker
}

// A Controller runs CronTabs by creating Jobs, while it and its parts are run, for instance by a manager. Its methods may be
// called concurrently.
type Controller struct {
	*controller.Controller[types.NamespacedName]

	CronTabs *cache.Informer[*v1.CronTab]
	Jobs     *cache.Informer[*batchv1.Job] // that CronTabs have created
	Events   *events.Recorder

	clock         clock.PassiveClock
	kube          kubernetes.Interface
	cronTabWriter *write.Writer[*v1.CronTab]
	jobWriter     *write.Writer[*batchv1.Job]
	jobsByUID     *cache.Index[*batchv1.Job, types.UID] // of the CronTab that controls them
}

// New returns a controller that does nothing until it is run.
func New(kube kubernetes.Interface, stable versioned.Interface, config Config) (*Controller, error) {
	c := &Controller{clock: config.Clock, kube: kube}
	if c.clock == nil {
		c.clock = clock.RealClock{}
	}
	c.watch(stable, config.Namespace)
	c.cronTabWriter = write.New(stable.StableV1().CronTabs, c.CronTabs.Indexer(), write.Config{
		FieldManager: Name,
		Attempts:     1, // what has changed is looked at anew, not written again
	})
	c.jobWriter = write.New(kube.BatchV1().Jobs, c.Jobs.Indexer(), write.Config{FieldManager: Name})
	var err error
	c.Events, err = events.New(events.Config{
		Client:     kube.EventsV1(),
		Controller: v1.SchemeGroupVersion.Group + "/" + Name,
		Scheme:     scheme.Scheme,
	})
	if err != nil {
		return nil, err
	}
	c.Controller, err = controller.New(controller.Config[types.NamespacedName]{
		Name: Name,
		Sources: []controller.Source[types.NamespacedName]{
			controller.For(c.CronTabs),
			controller.Owns(c.Jobs, controller.Owner{Group: v1.SchemeGroupVersion.Group, Kind: "CronTab"}),
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

// watch makes the informers: of all CronTabs, and of the Jobs that carry our label.
func (c *Controller) watch(stable versioned.Interface, namespace string) {
	c.CronTabs = cache.NewInformer(cache.FromClient(stable.StableV1().CronTabs(namespace)), cache.Config{Name: "crontabs"})
	c.Jobs = cache.NewInformer(cache.FromClient(c.kube.BatchV1().Jobs(namespace)), cache.Config{
		Name:        "jobs",
		ListOptions: func(options *metav1.ListOptions) { options.LabelSelector = Label },
	})
	c.jobsByUID = cache.AddIndex(c.Jobs.Indexer(), "controller", func(job *batchv1.Job) ([]types.UID, error) {
		if owner := metav1.GetControllerOfNoCopy(job); owner != nil {
			return []types.UID{owner.UID}, nil
		}
		return nil, nil
	})
}
