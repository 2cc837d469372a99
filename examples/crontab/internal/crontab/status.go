package crontab

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	applyv1 "github.com/sluice-k8s/sluice/pkg/generated/applyconfiguration/stable/v1"
)

// writeStatus makes the status as the view and the plan say. It writes nothing if it is so already. The error is a
// conflict if the CronTab has changed since it was read: a status that was computed from an old one could make
// lastScheduleTime go back.
func (c *Controller) writeStatus(ctx context.Context, v view, status v1.CronTabStatus) error {
	if equality.Semantic.DeepEqual(status, v.crontab.Status) {
		return nil
	}
	crontab := applyv1.CronTab(v.crontab.Name, v.crontab.Namespace).
		WithUID(v.crontab.UID).
		WithResourceVersion(v.crontab.ResourceVersion).
		WithStatus(applyStatus(status))
	_, err := c.stable.StableV1().CronTabs(v.crontab.Namespace).ApplyStatus(ctx, crontab, metav1.ApplyOptions{
		FieldManager: Name,
		Force:        true,
	})
	if err != nil {
		return fmt.Errorf("apply the status of CronTab %q: %w", v.crontab.Name, err)
	}
	return nil
}

// status returns what the status is to be. Conditions of others stay as they are.
func (v view) status(p plan, now time.Time) v1.CronTabStatus {
	status := *v.crontab.Status.DeepCopy()
	status.ObservedGeneration = v.crontab.Generation
	status.LastScheduleTime = timeOrNil(v.lastScheduleTime())
	status.NextScheduleTime = timeOrNil(p.next)
	status.Active = v.activeReferences()
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type:               v1.ConditionReady,
		Status:             p.ready.status,
		Reason:             p.ready.reason,
		Message:            p.ready.message,
		ObservedGeneration: v.crontab.Generation,
		LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)), // if the status differs
	})
	return status
}

// activeReferences returns references to the Jobs that have not finished. One that the status has stays as it is.
func (v view) activeReferences() []corev1.ObjectReference {
	known := make(map[string]corev1.ObjectReference, len(v.crontab.Status.Active))
	for _, ref := range v.crontab.Status.Active {
		known[string(ref.UID)] = ref
	}
	var refs []corev1.ObjectReference
	for _, job := range v.active() {
		ref, ok := known[string(job.UID)]
		if !ok {
			ref = referenceTo(job)
		}
		refs = append(refs, ref)
	}
	return append(refs, v.notYetSeen()...)
}

func referenceTo(job *batchv1.Job) corev1.ObjectReference {
	return corev1.ObjectReference{
		APIVersion:      batchv1.SchemeGroupVersion.String(),
		Kind:            "Job",
		Namespace:       job.Namespace,
		Name:            job.Name,
		UID:             job.UID,
		ResourceVersion: job.ResourceVersion,
	}
}

// applyStatus returns the parts of the status that this controller owns.
func applyStatus(status v1.CronTabStatus) *applyv1.CronTabStatusApplyConfiguration {
	apply := applyv1.CronTabStatus().WithObservedGeneration(status.ObservedGeneration)
	apply.LastScheduleTime = status.LastScheduleTime
	apply.NextScheduleTime = status.NextScheduleTime
	for _, ref := range status.Active {
		apply.WithActive(applycorev1.ObjectReference().
			WithAPIVersion(ref.APIVersion).
			WithKind(ref.Kind).
			WithNamespace(ref.Namespace).
			WithName(ref.Name).
			WithUID(ref.UID).
			WithResourceVersion(ref.ResourceVersion))
	}
	if ready := meta.FindStatusCondition(status.Conditions, v1.ConditionReady); ready != nil {
		apply.WithConditions(applymetav1.Condition().
			WithType(ready.Type).
			WithStatus(ready.Status).
			WithReason(ready.Reason).
			WithMessage(ready.Message).
			WithObservedGeneration(ready.ObservedGeneration).
			WithLastTransitionTime(ready.LastTransitionTime))
	}
	return apply
}

func timeOrNil(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t}
}
