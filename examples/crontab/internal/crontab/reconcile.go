package crontab

import (
	"context"
	"errors"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/finalizer"
)

// goneDelay is when a deleted CronTab is looked at again though no event has told that its Jobs are gone. That happens when
// a Job was created and deleted before the cache saw it.
const goneDelay = 10 * time.Second

var errStillActive = errors.New("its Jobs are still active")

// reconcile makes the Jobs and the status of a CronTab as they should be now.
func (c *Controller) reconcile(ctx context.Context, key types.NamespacedName) controller.Result {
	crontab, ok := c.CronTabs.Indexer().Get(key)
	if !ok {
		return controller.Done()
	}
	return c.follow(ctx, crontab)
}

// follow is reconcile for a CronTab as a cache has it, however old.
func (c *Controller) follow(ctx context.Context, crontab *v1.CronTab) controller.Result {
	now := c.clock.Now()
	v, err := c.look(ctx, crontab, now)
	switch {
	case apierrors.IsNotFound(err): // the cache will hear of it
		return controller.Done()
	case err != nil:
		return controller.Retry(err)
	}
	crontabs := c.cronTabWriter.Client(crontab.Namespace)
	current, proceed, err := finalizer.Handle(ctx, crontabs, v.crontab, v1.CronTabFinalizer, c.stopJobs)
	switch {
	case errors.Is(err, errStillActive):
		return controller.RequeueAfter(goneDelay)
	case err != nil || !proceed:
		return controller.Retry(err)
	}
	v.crontab = current
	next, err := c.run(ctx, v, now)
	if err != nil || next.IsZero() {
		return controller.Retry(err)
	}
	return controller.RequeueAfter(next.Sub(c.clock.Now()))
}

// look returns the CronTab and its Jobs: as the caches have them, or, if a run seems to be due, as the API server has them.
// With the policy Allow it leaves the Jobs to the cache: their names are enough to not start one twice.
func (c *Controller) look(ctx context.Context, crontab *v1.CronTab, now time.Time) (view, error) {
	v := view{crontab, slices.Collect(c.jobsByUID.Lookup(crontab.UID))}
	if decide(v, now).start.IsZero() {
		return v, nil
	}
	crontab, err := c.cronTabWriter.Client(crontab.Namespace).Get(ctx, crontab.Name, metav1.GetOptions{})
	if err != nil {
		return view{}, err
	}
	if crontab.Spec.ConcurrencyPolicy == v1.AllowConcurrent {
		return view{crontab, slices.Collect(c.jobsByUID.Lookup(crontab.UID))}, nil
	}
	jobs, err := c.listJobs(ctx, crontab)
	return view{crontab, jobs}, err
}

// run starts the run that is due, reports, cleans up, and returns when the next run is due.
func (c *Controller) run(ctx context.Context, v view, now time.Time) (next time.Time, err error) {
	p := decide(v, now)
	if !p.start.IsZero() {
		if v, p, err = c.start(ctx, v, p); err != nil {
			return time.Time{}, err
		}
	}
	if err := c.report(ctx, v, p, now); err != nil {
		return time.Time{}, err
	}
	for _, job := range p.prune { // the status tells of later runs now
		if err := c.deleteJob(ctx, v.crontab, job, "it is beyond the history limit"); err != nil {
			return time.Time{}, err
		}
	}
	return p.next, nil
}

// start starts the run that is planned, and returns the view and the plan as they are then.
func (c *Controller) start(ctx context.Context, v view, p plan) (view, plan, error) {
	for _, job := range p.replace {
		if err := c.deleteJob(ctx, v.crontab, job, "the next run replaces it"); err != nil {
			return v, p, err
		}
		v = v.without(job)
	}
	job, err := c.createJob(ctx, v.crontab, p.start)
	switch {
	case errors.Is(err, errForeignJob):
		return v, p.skipped(err), nil
	case err != nil:
		return v, p, err
	}
	return v.with(job), p, nil
}

// stopJobs deletes the active Jobs of a CronTab that is being deleted, and fails until they are gone. It looks at the API
// server, because nobody looks again afterwards.
func (c *Controller) stopJobs(ctx context.Context, crontab *v1.CronTab) error {
	if slices.Contains(crontab.Finalizers, metav1.FinalizerOrphanDependents) {
		return nil // whoever has deleted it wants its Jobs to live on
	}
	jobs, err := c.listJobs(ctx, crontab)
	if err != nil {
		return err
	}
	active := view{crontab, jobs}.active()
	if len(active) == 0 {
		return nil
	}
	for _, job := range active {
		if err := c.deleteJob(ctx, crontab, job, "its CronTab is being deleted"); err != nil {
			return err
		}
	}
	return errStillActive
}
