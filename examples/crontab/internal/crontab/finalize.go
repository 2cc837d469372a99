package crontab

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/finalizer"
)

// goneDelay is when a deleted CronTab is looked at again though no event has told that its Jobs are gone. That happens when
// a Job was created and deleted before the cache saw it.
const goneDelay = 10 * time.Second

// finalize stops the active Jobs of a CronTab that is being deleted, and lets it go when they are gone. It looks at the API
// server, because nobody looks again afterwards.
func (c *Controller) finalize(ctx context.Context, crontab *v1.CronTab) (controller.Result, error) {
	if !slices.Contains(crontab.Finalizers, v1.CronTabFinalizer) {
		return controller.Done(), nil
	}
	jobs, _, err := c.listJobs(ctx, crontab)
	if err != nil {
		return controller.Done(), err
	}
	active := view{crontab: crontab, jobs: jobs}.active()
	if len(active) == 0 || isOrphaning(crontab) {
		crontabs := c.stable.StableV1().CronTabs(crontab.Namespace)
		return controller.Done(), finalizer.Remove(ctx, crontabs, crontab, v1.CronTabFinalizer)
	}
	for _, job := range active {
		if err := c.deleteJob(ctx, crontab, job, "its CronTab is being deleted"); err != nil {
			return controller.Done(), err
		}
	}
	return controller.RequeueAfter(goneDelay), nil
}

// isOrphaning says whether who has deleted the CronTab wants its Jobs to live on.
func isOrphaning(crontab *v1.CronTab) bool {
	return slices.Contains(crontab.Finalizers, metav1.FinalizerOrphanDependents)
}
