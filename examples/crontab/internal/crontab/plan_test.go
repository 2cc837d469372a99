package crontab

import (
	"fmt"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

// clockTime is a time of the day on which all CronTabs of these tests were created, at midnight.
func clockTime(tb testing.TB, text string) time.Time {
	tb.Helper()
	return parseTime(tb, "2026-03-01T"+text+"Z")
}

// jobAt is the Job of a time on the schedule; without an outcome it is active.
func jobAt(tb testing.TB, crontab *v1.CronTab, at string, outcome batchv1.JobConditionType) *batchv1.Job {
	tb.Helper()
	job := newJob(crontab, clockTime(tb, at))
	job.UID = types.UID(job.Name)
	job.CreationTimestamp = metav1.NewTime(clockTime(tb, at))
	if outcome != "" {
		job.Status.Conditions = []batchv1.JobCondition{{Type: outcome, Status: corev1.ConditionTrue}}
	}
	return job
}

// describe writes a plan as one line.
func describe(p plan) string {
	var b strings.Builder
	write := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	hour := func(t time.Time) string { return t.UTC().Format(time.TimeOnly) }
	names := func(jobs []*batchv1.Job) (names []string) {
		for _, job := range jobs {
			at, err := time.Parse(time.RFC3339, job.Annotations[ScheduledAtAnnotation])
			if err != nil {
				return []string{err.Error()}
			}
			names = append(names, hour(at))
		}
		return names
	}
	write("%s", p.ready.Reason)
	if !p.start.IsZero() {
		write(" start %s", hour(p.start))
	}
	if len(p.replace) > 0 {
		write(" replace %v", names(p.replace))
	}
	for _, news := range p.news {
		write(" told %s", news.reason)
	}
	if len(p.prune) > 0 {
		write(" prune %v", names(p.prune))
	}
	if !p.next.IsZero() {
		write(" next %s", hour(p.next))
	}
	return b.String()
}

func TestDecideWhatToRun(t *testing.T) {
	for _, test := range []struct {
		name     string
		schedule string // "*/5 * * * *" if empty
		now      string
		last     string // in the status
		policy   v1.ConcurrencyPolicy
		deadline *int64
		suspend  bool
		active   []string // times on the schedule of active Jobs
		finished []string
		want     string
	}{{
		name: "not due since the creation", now: "00:04:59",
		want: "Scheduled next 00:05:00",
	}, {
		name: "due right now", now: "00:05:00",
		want: "Scheduled start 00:05:00 next 00:10:00",
	}, {
		name: "run already", now: "00:05:01", last: "00:05:00",
		want: "Scheduled next 00:10:00",
	}, {
		name: "run already, as only the Job tells", now: "00:05:01", active: []string{"00:05:00"},
		want: "Scheduled next 00:10:00",
	}, {
		name: "run already, as only a finished Job tells", now: "00:05:01", last: "00:00:00", finished: []string{"00:05:00"},
		want: "Scheduled next 00:10:00",
	}, {
		name: "of the missed runs the latest", now: "02:03:00", last: "00:05:00",
		want: "Scheduled start 02:00:00 next 02:05:00",
	}, {
		name: "a hundred missed", now: "08:20:00",
		want: "Scheduled start 08:20:00 next 08:25:00",
	}, {
		name: "more than a hundred missed", now: "08:25:00",
		want: "Scheduled start 08:25:00 told TooManyMissedTimes next 08:30:00",
	}, {
		name: "missed runs count within the deadline only", now: "08:25:00", deadline: new(int64(600)),
		want: "Scheduled start 08:25:00 next 08:30:00",
	}, {
		name: "late but within the deadline", now: "00:07:00", deadline: new(int64(120)),
		want: "Scheduled start 00:05:00 next 00:10:00",
	}, {
		name: "too late", now: "00:07:01", deadline: new(int64(120)),
		want: "Scheduled told MissSchedule next 00:10:00",
	}, {
		name: "deadline zero, within the second", now: "00:05:00.9", deadline: new(int64(0)),
		want: "Scheduled start 00:05:00 next 00:10:00",
	}, {
		name: "deadline zero, a second later", now: "00:05:01", deadline: new(int64(0)),
		want: "Scheduled told MissSchedule next 00:10:00",
	}, {
		name: "a deadline that no duration can hold", now: "00:07:00", deadline: new(int64(1<<63 - 1)),
		want: "Scheduled start 00:05:00 next 00:10:00",
	}, {
		name: "a deadline shorter than the interval does not starve it", schedule: "@every 1h", now: "02:00:04", last: "01:00:00", deadline: new(int64(10)),
		want: "Scheduled start 02:00:00 next 03:00:00",
	}, {
		name: "interval, many missed", schedule: "@every 7s", now: "01:00:00",
		want: "Scheduled start 00:59:58 told TooManyMissedTimes next 01:00:05",
	}, {
		name: "Allow beside an active Job", now: "00:10:00", last: "00:05:00", policy: v1.AllowConcurrent, active: []string{"00:05:00"},
		want: "Scheduled start 00:10:00 next 00:15:00",
	}, {
		name: "Forbid with an active Job", now: "00:10:00", last: "00:05:00", policy: v1.ForbidConcurrent, active: []string{"00:05:00"},
		want: "Scheduled told JobAlreadyActive next 00:15:00",
	}, {
		name: "Forbid when the active Job has finished, late", now: "00:12:00", last: "00:05:00", policy: v1.ForbidConcurrent, finished: []string{"00:05:00"},
		want: "Scheduled start 00:10:00 next 00:15:00",
	}, {
		name: "Replace with active Jobs", now: "00:10:00", policy: v1.ReplaceConcurrent, active: []string{"00:05:00", "00:00:00"},
		want: "Scheduled start 00:10:00 replace [00:00:00 00:05:00] next 00:15:00",
	}, {
		name: "Replace when nothing is due", now: "00:09:00", policy: v1.ReplaceConcurrent, active: []string{"00:05:00"},
		want: "Scheduled next 00:10:00",
	}, {
		name: "Replace too late leaves the active one alone", now: "00:11:00", policy: v1.ReplaceConcurrent, deadline: new(int64(10)), active: []string{"00:05:00"},
		want: "Scheduled told MissSchedule next 00:15:00",
	}, {
		name: "suspended", now: "00:05:00", suspend: true,
		want: "Suspended",
	}, {
		name: "a bad schedule is told even when suspended", schedule: "61 * * * *", now: "00:05:00", suspend: true,
		want: "InvalidSchedule told UnparseableSchedule",
	}, {
		name: "a schedule that never comes due", schedule: "0 0 31 2 *", now: "00:05:00",
		want: "InvalidSchedule told InvalidSchedule",
	}, {
		name: "the clock has gone back", now: "00:05:00", last: "00:20:00",
		want: "Scheduled next 00:25:00",
	}} {
		t.Run(test.name, func(t *testing.T) {
			if test.schedule == "" {
				test.schedule = "*/5 * * * *"
			}
			crontab := scheduled(test.schedule, "", clockTime(t, "00:00:00"))
			crontab.Spec.ConcurrencyPolicy = test.policy
			crontab.Spec.StartingDeadlineSeconds = test.deadline
			crontab.Spec.Suspend = &test.suspend
			if test.last != "" {
				crontab.Status.LastScheduleTime = timeOrNil(clockTime(t, test.last))
			}
			v := view{crontab: crontab}
			for _, at := range test.active {
				v.jobs = append(v.jobs, jobAt(t, crontab, at, ""))
			}
			for _, at := range test.finished {
				v.jobs = append(v.jobs, jobAt(t, crontab, at, batchv1.JobComplete))
			}
			if got := describe(decide(v, clockTime(t, test.now))); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestDecideWhatToPrune(t *testing.T) {
	for _, test := range []struct {
		name               string
		successful, failed *int32
		want               string
	}{
		{"no limits", nil, nil, "Suspended"},
		{"below the limits", new(int32(3)), new(int32(2)), "Suspended"},
		{"the oldest first", new(int32(1)), new(int32(1)), "Suspended prune [00:10:00 00:20:00 00:30:00]"},
		{"keep none", new(int32(0)), new(int32(0)), "Suspended prune [00:10:00 00:20:00 00:40:00 00:30:00 00:50:00]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			crontab := scheduled("@hourly", "", clockTime(t, "00:00:00"))
			crontab.Spec.Suspend = new(true)
			crontab.Spec.SuccessfulJobsHistoryLimit, crontab.Spec.FailedJobsHistoryLimit = test.successful, test.failed
			v := view{crontab: crontab, jobs: []*batchv1.Job{
				jobAt(t, crontab, "00:40:00", batchv1.JobComplete),
				jobAt(t, crontab, "00:50:00", batchv1.JobFailed),
				jobAt(t, crontab, "00:05:00", ""),
				jobAt(t, crontab, "00:20:00", batchv1.JobComplete),
				jobAt(t, crontab, "00:30:00", batchv1.JobFailed),
				jobAt(t, crontab, "00:10:00", batchv1.JobComplete),
			}}
			if got := describe(decide(v, clockTime(t, "01:30:00"))); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// What is told of a run that does not start says which run it is and why.
func TestSkipsAreExplained(t *testing.T) {
	crontab := scheduled("*/5 * * * *", "", clockTime(t, "00:00:00"))
	crontab.Spec.ConcurrencyPolicy = v1.ForbidConcurrent
	active := jobAt(t, crontab, "00:05:00", "")
	forbidden := decide(view{crontab, []*batchv1.Job{active}}, clockTime(t, "00:12:00"))
	late := crontab.DeepCopy()
	late.Spec.StartingDeadlineSeconds = new(int64(60))
	for _, test := range []struct {
		news news
		want []string
	}{
		{forbidden.news[0], []string{"JobAlreadyActive", "2026-03-01T00:10:00Z", active.Name}},
		{decide(view{crontab: late}, clockTime(t, "00:12:00")).news[0], []string{"MissSchedule", "2026-03-01T00:10:00Z", "2m0s", "1m0s"}},
		{forbidden.skipped(errForeignJob).news[0], []string{"FailedCreate", errForeignJob.Error()}},
	} {
		for _, want := range test.want {
			if text := test.news.reason + ": " + test.news.note; !strings.Contains(text, want) {
				t.Errorf("%q does not say %q", text, want)
			}
		}
	}
}

func TestJobsOfOthersTellNoTime(t *testing.T) {
	crontab := scheduled("@hourly", "", clockTime(t, "00:00:00"))
	adopted := jobAt(t, crontab, "05:00:00", "")
	adopted.Name = "by-hand"
	if last := (view{crontab: crontab, jobs: []*batchv1.Job{adopted}}).lastScheduleTime(); !last.IsZero() {
		t.Errorf("last schedule time is %v", last)
	}
}
