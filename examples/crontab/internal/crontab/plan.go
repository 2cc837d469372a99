package crontab

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

// manyMissed is how many missed runs are reported as too many, as CronJob does: something is wrong then, such as a clock.
const manyMissed = 100

// A plan is what is to be done about a CronTab now.
type plan struct {
	ready metav1.Condition // without generation and time
	news  []news           // worth telling if the status is new, too

	start   time.Time      // the time on the schedule of the run to start; zero if none is due
	replace []*batchv1.Job // to be deleted before the start
	next    time.Time      // when the next run is due; zero if none is
	prune   []*batchv1.Job // finished and beyond the history limits
}

// A news is an event that users of the CronTab should see. Reasons are those of CronJob where they mean the same.
type news struct{ kind, reason, note string }

// decide says what to do when the world is as in the view.
func decide(v view, now time.Time) plan {
	p := plan{prune: v.beyondHistory()}
	times, wrong := scheduleOf(v.crontab)
	if wrong != nil {
		return p.invalid(*wrong)
	}
	if isSuspended(v.crontab) {
		p.ready = ready(metav1.ConditionFalse, v1.ReasonSuspended, "spec.suspend is true: no run starts")
		return p
	}
	last := v.lastScheduleTime()
	next, ok := times.next(later(now, last))
	if !ok {
		return p.invalid(neverDue(v.crontab))
	}
	p.ready = ready(metav1.ConditionTrue, v1.ReasonScheduled, "runs start on schedule")
	p.next = next

	after := later(v.crontab.CreationTimestamp.Time, last)
	if due, ok := times.latest(after, now); ok {
		p = p.decideRun(v, due, now)
	}
	if deadline, ok := startingDeadline(v.crontab); ok {
		after = later(after, now.Add(-deadline))
	}
	if !p.start.IsZero() && times.exceeds(manyMissed, after, now) {
		p.news = append(p.news, news{corev1.EventTypeWarning, "TooManyMissedTimes", fmt.Sprintf("More than %d runs were missed; only the "+
			"latest one starts. Set or decrease spec.startingDeadlineSeconds, or check for clock skew", manyMissed)})
	}
	return p
}

// decideRun returns the plan with a decision on the run that is due. One that does not start may still start later, as long
// as its deadline allows.
func (p plan) decideRun(v view, due, now time.Time) plan {
	active := v.active()
	policy := v.crontab.Spec.ConcurrencyPolicy
	deadline, bounded := startingDeadline(v.crontab)
	switch late := now.Sub(due).Truncate(time.Second); {
	case bounded && late > deadline:
		p.news = append(p.news, news{corev1.EventTypeWarning, "MissSchedule", fmt.Sprintf("Missed the run of %s by %v; "+
			"spec.startingDeadlineSeconds allows %v", due.UTC().Format(time.RFC3339), late, deadline)})
	case policy == v1.ForbidConcurrent && len(active) > 0:
		p.news = append(p.news, news{corev1.EventTypeNormal, "JobAlreadyActive", fmt.Sprintf("Not starting the run of %s: "+
			"Job %q is active and spec.concurrencyPolicy is Forbid", due.UTC().Format(time.RFC3339), active[0].Name)})
	default:
		p.start = due
		if policy == v1.ReplaceConcurrent {
			p.replace = active
		}
	}
	return p
}

// skipped returns the plan after it has turned out that the run cannot start.
func (p plan) skipped(err error) plan {
	p.start = time.Time{}
	p.news = []news{{corev1.EventTypeWarning, "FailedCreate", err.Error()}}
	return p
}

func (p plan) invalid(f flaw) plan {
	p.ready = ready(metav1.ConditionFalse, f.reason, f.message)
	p.news = []news{{corev1.EventTypeWarning, f.event, f.message}}
	return p
}

func ready(status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: v1.ConditionReady, Status: status, Reason: reason, Message: message}
}

func isSuspended(crontab *v1.CronTab) bool {
	return crontab.Spec.Suspend != nil && *crontab.Spec.Suspend
}

// startingDeadline returns how late a run may start, or ok false if there is no bound.
func startingDeadline(crontab *v1.CronTab) (deadline time.Duration, ok bool) {
	if crontab.Spec.StartingDeadlineSeconds == nil {
		return 0, false
	}
	const most = int64(1<<63-1) / int64(time.Second)
	return time.Duration(min(*crontab.Spec.StartingDeadlineSeconds, most)) * time.Second, true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// beyondHistory returns the finished Jobs that the history limits do not keep.
func (v view) beyondHistory() []*batchv1.Job {
	spec := v.crontab.Spec
	return append(
		oldest(v.finished(batchv1.JobComplete), spec.SuccessfulJobsHistoryLimit),
		oldest(v.finished(batchv1.JobFailed), spec.FailedJobsHistoryLimit)...)
}

// oldest returns all Jobs but the latest ones, as many as the limit says. Without a limit it returns none.
func oldest(jobs []*batchv1.Job, limit *int32) []*batchv1.Job {
	if limit == nil || len(jobs) <= int(*limit) {
		return nil
	}
	slices.SortFunc(jobs, byTime)
	return jobs[:len(jobs)-int(*limit)]
}

// byTime orders Jobs by their creation. The times on the schedule that are part of the names order those of one second.
func byTime(a, b *batchv1.Job) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}
