package crontab

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/client"
	"github.com/sluice-k8s/sluice/pkg/controller/lease"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
)

const manifest = "../../../../pkg/generated/crds/stable.example.com_crontabs.yaml"

// patience bounds the wait for what must happen; no test depends on how long it takes.
const patience = time.Minute

// A cluster is a namespace of a real API server, and an administrator's clients to it.
type cluster struct {
	testing.TB
	namespace string
	kube      kubernetes.Interface
	stable    versioned.Interface
}

func newCluster(tb testing.TB) *cluster {
	tb.Helper()
	controlplanetest.InstallCRD(tb, manifest)
	config := controlplanetest.Config(tb)
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		tb.Fatal(err)
	}
	stable, err := versioned.NewForConfig(config)
	if err != nil {
		tb.Fatal(err)
	}
	return &cluster{tb, controlplanetest.Namespace(tb), kube, stable}
}

// A replica is a process that runs the controller.
type replica struct {
	*Controller

	manager *manager.Manager
	elector *lease.Elector // nil without election
}

// A setup says how a replica is to be. The zero value is an administrator's, without election.
type setup struct {
	Config

	client *rest.Config
	life   manager.Options
}

// run runs a replica until stop is called, and at the longest until the test ends.
func (c *cluster) run(setup setup) (r *replica, stop func()) {
	c.Helper()
	r, closeIdle := c.newReplica(setup)
	logger := ktesting.NewLogger(c, ktesting.NewConfig(ktesting.Verbosity(2)))
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logger))
	done := make(chan error)
	go func() { done <- r.manager.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			c.Errorf("Run returned %v", err)
		}
		closeIdle()
	})
	c.Cleanup(stop)
	return r, stop
}

// newReplica makes a replica as main does, in the namespace.
func (c *cluster) newReplica(setup setup) (r *replica, closeIdle func()) {
	c.Helper()
	config := controlplanetest.Config(c)
	if setup.client != nil {
		config = rest.CopyConfig(setup.client)
	}
	r = &replica{}
	var err error
	if r.elector, err = setup.life.Elect(config); err != nil {
		c.Fatal(err)
	}
	clients, err := client.New(config)
	if err != nil {
		c.Fatal(err)
	}
	stable, err := versioned.NewForConfigAndClient(clients.Config(), clients.HTTPClient())
	if err != nil {
		c.Fatal(err)
	}
	setup.Namespace = c.namespace
	if r.Controller, err = New(clients.Typed, stable, setup.Config); err != nil {
		c.Fatal(err)
	}
	r.manager, err = manager.New(manager.Config{
		Name:          Name,
		Informers:     []controller.Runner{r.CronTabs, r.Jobs},
		Controllers:   []controller.Runner{r},
		Recorders:     []controller.Runner{r.Events},
		Election:      r.elector,
		HealthAddress: setup.life.HealthAddress,
	})
	if err != nil {
		c.Fatal(err)
	}
	return r, clients.CloseIdle
}

// create makes a CronTab "tab" that runs each second, changed as told.
func (c *cluster) create(change func(*v1.CronTabSpec)) *v1.CronTab {
	c.Helper()
	crontab := &v1.CronTab{ObjectMeta: metav1.ObjectMeta{Name: "tab"}, Spec: v1.CronTabSpec{Schedule: "@every 1s", Image: "image"}}
	change(&crontab.Spec)
	crontab, err := c.stable.StableV1().CronTabs(c.namespace).Create(c.Context(), crontab, metav1.CreateOptions{})
	if err != nil {
		c.Fatal(err)
	}
	return crontab
}

// change changes the spec of the CronTab.
func (c *cluster) change(spec map[string]any) {
	c.Helper()
	data, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		c.Fatal(err)
	}
	crontabs := c.stable.StableV1().CronTabs(c.namespace)
	if _, err = crontabs.Patch(c.Context(), "tab", types.MergePatchType, data, metav1.PatchOptions{}); err != nil {
		c.Fatal(err)
	}
}

func (c *cluster) delete(options metav1.DeleteOptions) {
	c.Helper()
	if err := c.stable.StableV1().CronTabs(c.namespace).Delete(c.Context(), "tab", options); err != nil {
		c.Fatal(err)
	}
}

// eventually waits until the condition holds, which returns what is missing.
func (c *cluster) eventually(what string, condition func() (missing any, ok bool)) {
	c.Helper()
	var missing any
	err := wait.PollUntilContextTimeout(c.Context(), 50*time.Millisecond, patience, true, func(context.Context) (ok bool, err error) {
		missing, ok = condition()
		return ok, nil
	})
	if err != nil {
		c.Fatalf("waiting until %s: %v: %+v", what, err, missing)
	}
}

// get returns the CronTab, or nil if it has gone.
func (c *cluster) get() *v1.CronTab {
	c.Helper()
	crontab, err := c.stable.StableV1().CronTabs(c.namespace).Get(c.Context(), "tab", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		c.Fatal(err)
	}
	return crontab
}

// jobs returns all Jobs of the namespace in the order of their creation.
func (c *cluster) jobs() view {
	c.Helper()
	list, err := c.kube.BatchV1().Jobs(c.namespace).List(c.Context(), metav1.ListOptions{})
	if err != nil {
		c.Fatal(err)
	}
	var jobs view
	for n := range list.Items {
		jobs.jobs = append(jobs.jobs, &list.Items[n])
	}
	return jobs
}

// awaitStatus waits until the CronTab has a status as told, and returns it.
func (c *cluster) awaitStatus(what string, condition func(v1.CronTabStatus) bool) v1.CronTabStatus {
	c.Helper()
	var status v1.CronTabStatus
	c.eventually(what, func() (any, bool) {
		status = c.get().Status
		return status, condition(status)
	})
	return status
}

// awaitReason waits until the condition Ready has the reason.
func (c *cluster) awaitReason(reason string) metav1.Condition {
	c.Helper()
	status := c.awaitStatus("the reason is "+reason, func(status v1.CronTabStatus) bool {
		return len(status.Conditions) == 1 && status.Conditions[0].Reason == reason
	})
	return status.Conditions[0]
}

// awaitActive waits until at least as many Jobs are active, and returns them.
func (c *cluster) awaitActive(count int) []*batchv1.Job {
	c.Helper()
	var active []*batchv1.Job
	c.eventually("Jobs are active", func() (any, bool) {
		active = c.jobs().active()
		return active, len(active) >= count
	})
	return active
}

// awaitEvent waits until there is an event with the reason, and returns all of them.
func (c *cluster) awaitEvent(reason string) []eventsv1.Event {
	c.Helper()
	var found []eventsv1.Event
	c.eventually("there is an event "+reason, func() (any, bool) {
		list, err := c.kube.EventsV1().Events(c.namespace).List(c.Context(), metav1.ListOptions{FieldSelector: "reason=" + reason + ",regarding.kind=CronTab"})
		if err != nil {
			return err, false
		}
		found = list.Items
		return found, len(found) > 0
	})
	return found
}

// finish makes a Job as if it had ended.
func (c *cluster) finish(job *batchv1.Job, outcome batchv1.JobConditionType) {
	c.Helper()
	c.eventually("the Job has started", func() (any, bool) {
		var err error
		job, err = c.kube.BatchV1().Jobs(c.namespace).Get(c.Context(), job.Name, metav1.GetOptions{})
		return err, err == nil && job.Status.StartTime != nil
	})
	if err := c.setOutcome(job, outcome); err != nil {
		c.Fatal(err)
	}
}

// setOutcome does what the cluster's Job controller does when the Pods of a Job that has started have ended.
func (c *cluster) setOutcome(job *batchv1.Job, outcome batchv1.JobConditionType) error {
	now := metav1.Now()
	status := map[string]any{"active": 0, "ready": 0, "terminating": 0}
	target := batchv1.JobFailureTarget
	if outcome == batchv1.JobComplete {
		target = batchv1.JobSuccessCriteriaMet
		status["completionTime"] = now
	}
	status["conditions"] = []batchv1.JobCondition{
		{Type: target, Status: corev1.ConditionTrue, LastTransitionTime: now},
		{Type: outcome, Status: corev1.ConditionTrue, LastTransitionTime: now},
	}
	data, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	_, err = c.kube.BatchV1().Jobs(c.namespace).Patch(context.Background(), job.Name, types.MergePatchType, data, metav1.PatchOptions{}, "status")
	return err
}

// created counts how often a Job of each name is created until stop is called, and lets each Job complete as soon as it has
// started.
func (c *cluster) created() (stop func() map[string]int) {
	c.Helper()
	w, err := c.kube.BatchV1().Jobs(c.namespace).Watch(c.Context(), metav1.ListOptions{})
	if err != nil {
		c.Fatal(err)
	}
	counts, completed, done := map[string]int{}, map[types.UID]bool{}, make(chan struct{})
	go func() {
		defer close(done)
		for event := range w.ResultChan() {
			job, ok := event.Object.(*batchv1.Job)
			if !ok || event.Type == watch.Deleted {
				continue
			}
			if event.Type == watch.Added {
				counts[job.Name]++
			}
			if job.Status.StartTime == nil || completed[job.UID] { // what comes after that may be from before it
				continue
			}
			completed[job.UID] = true
			if err := c.setOutcome(job, batchv1.JobComplete); err != nil && !apierrors.IsNotFound(err) {
				c.Errorf("complete Job %q: %v", job.Name, err)
			}
		}
	}()
	stop = func() map[string]int {
		w.Stop()
		<-done
		return counts
	}
	return sync.OnceValue(stop)
}
