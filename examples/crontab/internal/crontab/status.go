package crontab

import (
	"context"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/controller/condition"
	"github.com/sluice-k8s/sluice/pkg/controller/events"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

// report makes the status as the view and the plan say, and tells of what has happened if that changes the status. The error
// is a conflict if the CronTab has changed since it was read: a status that was computed from an old one could make
// lastScheduleTime go back.
func (c *Controller) report(ctx context.Context, v view, p plan, now time.Time) error {
	_, effect, err := c.cronTabWriter.ChangeStatus(ctx, v.crontab, func(crontab *v1.CronTab) error {
		return v.describe(&crontab.Status, p, now)
	})
	if err != nil || effect == write.Unchanged {
		return err
	}
	for _, n := range append(p.news, v.completions()...) {
		c.Events.Record(events.Event{Regarding: v.crontab, Type: n.kind, Reason: n.reason, Action: "Schedule", Note: n.note})
	}
	return nil
}

// describe changes a status to what it is to be. Conditions of others stay as they are.
func (v view) describe(status *v1.CronTabStatus, p plan, now time.Time) error {
	status.ObservedGeneration = v.crontab.Generation
	status.LastScheduleTime = timeOrNil(v.lastScheduleTime())
	status.NextScheduleTime = timeOrNil(p.next)
	status.Active = nil
	for _, job := range v.active() {
		status.Active = append(status.Active, referenceTo(job))
	}
	ready := p.ready
	ready.ObservedGeneration = v.crontab.Generation
	ready.LastTransitionTime = metav1.NewTime(now)
	_, err := condition.Set(&status.Conditions, ready)
	return err
}

// referenceTo leaves out the version, with which the status would change each time the Job does.
func referenceTo(job *batchv1.Job) corev1.ObjectReference {
	ref := events.Reference(job, batchv1.SchemeGroupVersion.WithKind("Job"))
	ref.ResourceVersion = ""
	return *ref
}

// completions tells of the Jobs that have finished and were active when the status was written.
func (v view) completions() (all []news) {
	for _, job := range v.jobs {
		wasActive := slices.ContainsFunc(v.crontab.Status.Active, func(ref corev1.ObjectReference) bool { return ref.UID == job.UID })
		if end := outcome(job); end != "" && wasActive {
			all = append(all, news{corev1.EventTypeNormal, "SawCompletedJob", fmt.Sprintf("Job %q has ended: %s", job.Name, end)})
		}
	}
	return all
}

func timeOrNil(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t}
}
