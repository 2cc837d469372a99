package crontab

import (
	"context"
	"errors"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/klog/v2"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/controller/owner"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

const (
	// Label is on all Jobs and their Pods; its value is the name of the CronTab.
	Label = "stable.example.com/crontab"

	// ScheduledAtAnnotation is on all Jobs; its value is the time on the schedule, as in RFC 3339.
	ScheduledAtAnnotation = "stable.example.com/scheduled-at"
)

// backoffLimit is how often the Pod of a Job may fail before the Job has failed.
const backoffLimit = 3

var errForeignJob = errors.New("the name is taken by a Job that this CronTab does not control")

// createJob makes sure that the Job of a time on the schedule exists, and returns it. If the name is taken by somebody
// else's Job the error is errForeignJob. It creates once: a Job that is there and gone the next moment has run.
func (c *Controller) createJob(ctx context.Context, crontab *v1.CronTab, at time.Time) (*batchv1.Job, error) {
	job, err := c.jobWriter.Create(ctx, newJob(crontab, at))
	switch {
	case apierrors.IsAlreadyExists(err):
		return c.adopt(ctx, crontab, jobName(crontab, at))
	case err != nil:
		c.Events.Warning(crontab, "FailedCreate", "CreateJob", err.Error())
		return nil, err
	}
	c.Events.Normal(crontab, "SuccessfulCreate", "CreateJob", fmt.Sprintf("Created Job %q", job.Name))
	klog.FromContext(ctx).V(2).Info("Created Job", "job", klog.KObj(job), "scheduledAt", at)
	return job, nil
}

// adopt returns the Job with the name if the CronTab controls it: then it was created before, and the caches or the
// status do not tell of it yet.
func (c *Controller) adopt(ctx context.Context, crontab *v1.CronTab, name string) (*batchv1.Job, error) {
	job, err := c.jobWriter.Client(crontab.Namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case err != nil:
		return nil, err
	case !owner.HasController(job, crontab):
		return nil, fmt.Errorf("create Job %q: %w", name, errForeignJob)
	}
	return job, nil
}

// deleteJob makes sure that this very Job is deleted, and its Pods by the garbage collector.
func (c *Controller) deleteJob(ctx context.Context, crontab *v1.CronTab, job *batchv1.Job, why string) error {
	if job.DeletionTimestamp != nil {
		return nil
	}
	if err := c.jobWriter.DeleteWith(ctx, job, write.DeleteOptions{AnyVersion: true}); err != nil {
		c.Events.Warning(crontab, "FailedDelete", "DeleteJob", err.Error())
		return err
	}
	c.Events.Normal(crontab, "SuccessfulDelete", "DeleteJob", fmt.Sprintf("Deleted Job %q: %s", job.Name, why))
	klog.FromContext(ctx).V(2).Info("Deleted Job", "job", klog.KObj(job), "reason", why)
	return nil
}

// listJobs returns the Jobs that the CronTab controls as the API server knows them.
func (c *Controller) listJobs(ctx context.Context, crontab *v1.CronTab) (jobs []*batchv1.Job, err error) {
	list, err := c.kube.BatchV1().Jobs(crontab.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: labels.Set{Label: crontab.Name}.String(),
	})
	if err != nil {
		return nil, fmt.Errorf("list the Jobs of CronTab %q: %w", crontab.Name, err)
	}
	for n := range list.Items {
		if job := &list.Items[n]; owner.HasController(job, crontab) {
			jobs = append(jobs, job)
		}
	}
	return jobs, nil
}

// newJob returns the Job that runs at a time on the schedule of the CronTab.
func newJob(crontab *v1.CronTab, at time.Time) *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       crontab.Namespace,
			Name:            jobName(crontab, at),
			Labels:          map[string]string{Label: crontab.Name},
			Annotations:     map[string]string{ScheduledAtAnnotation: at.UTC().Format(time.RFC3339)},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(crontab, v1.SchemeGroupVersion.WithKind("CronTab"))},
		},
		Spec: batchv1.JobSpec{
			BackoffLimit: new(int32(backoffLimit)),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{Label: crontab.Name}},
				Spec:       newPodSpec(crontab),
			},
		},
	}
}

// newPodSpec takes from the Pod what a job hardly needs: capabilities, more privileges, and an account of the API server.
// It may run as root, because many images do; a namespace that enforces the restricted profile refuses those.
func newPodSpec(crontab *v1.CronTab) corev1.PodSpec {
	return corev1.PodSpec{
		RestartPolicy:                corev1.RestartPolicyNever, // keeps the Pods that failed, and their logs
		AutomountServiceAccountToken: new(false),
		SecurityContext: &corev1.PodSecurityContext{
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{{
			Name:    "run",
			Image:   crontab.Spec.Image,
			Command: crontab.Spec.Command,
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: new(false),
				Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
		}},
	}
}

// jobName returns the name of the Job of a time on the schedule. There is none but it: the API server lets the name be
// used once.
func jobName(crontab *v1.CronTab, at time.Time) string {
	return fmt.Sprintf("%s-%d", crontab.Name, at.Unix())
}

// scheduledAt returns the time on the schedule that a Job was created for. Jobs that somebody else has given to the CronTab
// have none.
func scheduledAt(crontab *v1.CronTab, job *batchv1.Job) (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339, job.Annotations[ScheduledAtAnnotation])
	return at, err == nil && job.Name == jobName(crontab, at)
}
