package crontab

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

// event tells the users of the CronTab what has happened, in the way of "kubectl describe". It waits until the API server
// has the event, so that none is lost when the controller stops; one that cannot be written is logged and no more. Events
// tell of changes only, and of several skipped runs in a row only the first, so they are few; what fails again and again is
// bounded by the back-off.
func (c *Controller) event(ctx context.Context, crontab *v1.CronTab, kind, reason, note string) {
	const longest = 1024 // of a note, as the API server allows
	_, err := c.kube.EventsV1().Events(crontab.Namespace).Create(ctx, &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{Namespace: crontab.Namespace, GenerateName: crontab.Name + "-"},
		EventTime:           metav1.NewMicroTime(c.clock.Now()),
		ReportingController: "stable.example.com/" + Name,
		ReportingInstance:   c.instance,
		Action:              "Reconcile",
		Type:                kind,
		Reason:              reason,
		Note:                strings.ToValidUTF8(note[:min(len(note), longest)], ""),
		Regarding: corev1.ObjectReference{
			APIVersion:      v1.SchemeGroupVersion.String(),
			Kind:            "CronTab",
			Namespace:       crontab.Namespace,
			Name:            crontab.Name,
			UID:             crontab.UID,
			ResourceVersion: crontab.ResourceVersion,
		},
	}, metav1.CreateOptions{FieldManager: Name})
	if err != nil {
		klog.FromContext(ctx).Info("Event not written", "reason", reason, "note", note, "err", err)
	}
}

// announce tells of what is new in the status that was just written, compared with the one of the view.
func (c *Controller) announce(ctx context.Context, v view, p plan, status v1.CronTabStatus) {
	if p.ready.isInvalid() && !p.ready.isIn(v.crontab.Status) {
		c.event(ctx, v.crontab, corev1.EventTypeWarning, p.ready.reason, p.ready.message)
	}
	if p.skip != nil && p.skip.at.Equal(p.first) && p.skip.isNew(v.crontab.Status) {
		c.event(ctx, v.crontab, corev1.EventTypeWarning, p.skip.reason, p.skip.message)
	}
	if p.manyMissed {
		c.event(ctx, v.crontab, corev1.EventTypeWarning, "TooManyMissedTimes", fmt.Sprintf("More than %d runs were missed; "+
			"only the latest one started. Set or decrease spec.startingDeadlineSeconds, or check for clock skew", manyMissed))
	}
	for _, job := range v.jobs {
		if end := outcome(job); end != "" && refersTo(v.crontab.Status.Active, job) && !refersTo(status.Active, job) {
			c.event(ctx, v.crontab, corev1.EventTypeNormal, "SawCompletedJob", fmt.Sprintf("Job %q has ended: %s", job.Name, end))
		}
	}
}

func (r readiness) isInvalid() bool {
	return r.reason == v1.ReasonInvalidSchedule || r.reason == v1.ReasonInvalidTimeZone
}

// isIn says whether the status tells of this state already.
func (r readiness) isIn(status v1.CronTabStatus) bool {
	ready := meta.FindStatusCondition(status.Conditions, v1.ConditionReady)
	return ready != nil && ready.Reason == r.reason && ready.Message == r.message
}

// isNew says whether the status was written before the run came due: it does not look beyond it.
func (s *skip) isNew(status v1.CronTabStatus) bool {
	return status.NextScheduleTime == nil || !status.NextScheduleTime.After(s.at)
}

func refersTo(refs []corev1.ObjectReference, job metav1.Object) bool {
	return slices.ContainsFunc(refs, func(ref corev1.ObjectReference) bool { return ref.UID == job.GetUID() })
}
