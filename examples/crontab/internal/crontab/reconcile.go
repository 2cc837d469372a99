package crontab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/finalizer"
)

// errOutdated says that the CronTab has changed so much since it was read that nothing is to be done about what was read.
var errOutdated = errors.New("CronTab has changed")

// outdatedDelay is when a reconcile is tried again that found its CronTab changed, unless the change arrives before, which
// is the rule.
const outdatedDelay = time.Second

// reconcile makes the Jobs and the status of a CronTab as they should be now.
func (c *Controller) reconcile(ctx context.Context, key types.NamespacedName) controller.Result {
	crontab, ok := c.crontabs.Indexer().Get(key)
	if !ok {
		return controller.Done()
	}
	next := c.follow
	if crontab.DeletionTimestamp != nil {
		next = c.finalize
	}
	result, err := next(ctx, crontab)
	switch {
	case errors.Is(err, errOutdated), apierrors.IsConflict(err), apierrors.IsNotFound(err):
		klog.FromContext(ctx).V(4).Info("Cache is behind, waiting for it", "reason", err)
		return controller.RequeueAfter(outdatedDelay)
	case err != nil:
		return controller.Retry(err)
	}
	return result
}

// follow starts the run that is due, reports, and comes back when the next one is.
func (c *Controller) follow(ctx context.Context, crontab *v1.CronTab) (controller.Result, error) {
	v := c.cached(crontab)
	p := decide(v, c.clock.Now())
	if !p.start.IsZero() {
		var err error
		if v, err = c.live(ctx, v); err != nil {
			return controller.Done(), err
		}
		p = decide(v, c.clock.Now())
	}
	v, p, err := c.start(ctx, v, p)
	if err != nil {
		return controller.Done(), err
	}
	status := v.status(p, c.clock.Now())
	if err := c.writeStatus(ctx, v, status); err != nil {
		return controller.Done(), err
	}
	c.announce(ctx, v, p, status)
	for _, job := range p.prune { // the status tells of later runs now
		if err := c.deleteJob(ctx, v.crontab, job, "it is beyond the history limit"); err != nil {
			return controller.Done(), err
		}
	}
	if p.next.IsZero() {
		return controller.Done(), nil
	}
	return controller.RequeueAfter(p.next.Sub(c.clock.Now())), nil
}

// cached returns the view that the caches offer.
func (c *Controller) cached(crontab *v1.CronTab) view {
	v := view{crontab: crontab, jobsVersion: c.jobs.Indexer().ResourceVersion()} // before the Jobs, which may be newer
	v.jobs = slices.Collect(c.jobsByUID.Lookup(crontab.UID))
	return v
}

// live returns the view that the API server offers. With the policy Allow it leaves the Jobs as they are: their names are
// enough to not start one twice.
func (c *Controller) live(ctx context.Context, v view) (view, error) {
	crontab, err := c.stable.StableV1().CronTabs(v.crontab.Namespace).Get(ctx, v.crontab.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return v, errOutdated
	case err != nil:
		return v, fmt.Errorf("get CronTab %q: %w", v.crontab.Name, err)
	case crontab.UID != v.crontab.UID, crontab.DeletionTimestamp != nil:
		return v, errOutdated
	}
	v.crontab = crontab
	if crontab.Spec.ConcurrencyPolicy == v1.AllowConcurrent {
		return v, nil
	}
	v.jobs, v.jobsVersion, err = c.listJobs(ctx, crontab)
	return v, err
}

// start starts the run that is planned, if one is, and returns the view and the plan as they are then.
func (c *Controller) start(ctx context.Context, v view, p plan) (view, plan, error) {
	if p.start.IsZero() {
		return v, p, nil
	}
	var err error
	crontabs := c.stable.StableV1().CronTabs(v.crontab.Namespace)
	if v.crontab, err = finalizer.Ensure(ctx, crontabs, v.crontab, v1.CronTabFinalizer); err != nil {
		return v, p, err
	}
	for _, job := range p.replace {
		if err := c.deleteJob(ctx, v.crontab, job, "the next run replaces it"); err != nil {
			return v, p, err
		}
		v = v.without(job)
	}
	job, err := c.createJob(ctx, v.crontab, p.start)
	switch {
	case errors.Is(err, errForeignJob):
		return v, p.skipped("FailedCreate", err.Error()), nil
	case err != nil:
		return v, p, err
	}
	return v.with(job), p, nil
}
