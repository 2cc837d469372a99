package crontab

import (
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

// A view is a CronTab and its Jobs, as they were at some time. What decisions read is here; none of it is changed.
type view struct {
	crontab *v1.CronTab
	jobs    []*batchv1.Job // that the CronTab controls
}

// active returns the Jobs that have not finished, those that are being deleted included, in the order of their creation.
func (v view) active() []*batchv1.Job {
	active := slices.DeleteFunc(slices.Clone(v.jobs), func(job *batchv1.Job) bool { return outcome(job) != "" })
	slices.SortFunc(active, byTime)
	return active
}

// finished returns the Jobs with the outcome.
func (v view) finished(with batchv1.JobConditionType) []*batchv1.Job {
	return slices.DeleteFunc(slices.Clone(v.jobs), func(job *batchv1.Job) bool { return outcome(job) != with })
}

// outcome returns Complete or Failed, or nothing if the Job has not finished.
func outcome(job *batchv1.Job) batchv1.JobConditionType {
	for _, condition := range job.Status.Conditions {
		isEnd := condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed
		if isEnd && condition.Status == corev1.ConditionTrue {
			return condition.Type
		}
	}
	return ""
}

// lastScheduleTime returns the time on the schedule of the latest run that was started, zero if there was none. The Jobs
// may know of one that is not in the status yet.
func (v view) lastScheduleTime() time.Time {
	var last time.Time
	if v.crontab.Status.LastScheduleTime != nil {
		last = v.crontab.Status.LastScheduleTime.Time
	}
	for _, job := range v.jobs {
		if at, ok := scheduledAt(v.crontab, job); ok {
			last = later(last, at)
		}
	}
	return last
}

// with returns the view after a Job was created.
func (v view) with(job *batchv1.Job) view {
	v = v.without(job)
	v.jobs = append(v.jobs, job)
	return v
}

// without returns the view after a Job was deleted.
func (v view) without(job *batchv1.Job) view {
	v.jobs = slices.DeleteFunc(slices.Clone(v.jobs), func(other *batchv1.Job) bool { return other.UID == job.UID })
	return v
}
