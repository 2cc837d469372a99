package crontab

import (
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

func referenceAt(t *testing.T, crontab *v1.CronTab, at, version string) corev1.ObjectReference {
	t.Helper()
	job := jobAt(t, crontab, at, "")
	job.ResourceVersion = version
	return referenceTo(job)
}

// The status may tell of a Job that the cache has not seen yet. It stays until the cache is as new as the Job.
func TestActiveJobsWhileTheCacheIsBehind(t *testing.T) {
	for _, test := range []struct {
		name        string
		jobsVersion string
		seen        []string
		want        []string
	}{
		{"the Job is not in the cache yet", "99", []string{"01:00:00"}, []string{"01:00:00", "02:00:00"}},
		{"the cache has it", "100", []string{"01:00:00", "02:00:00"}, []string{"01:00:00", "02:00:00"}},
		{"the Job has gone", "100", []string{"01:00:00"}, []string{"01:00:00"}},
		{"both have gone", "101", nil, nil},
		{"a Job that the status does not know", "101", []string{"03:00:00"}, []string{"03:00:00"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			crontab := scheduled("@hourly", "", clockTime(t, "00:00:00"))
			crontab.Status.Active = []corev1.ObjectReference{
				referenceAt(t, crontab, "01:00:00", "50"),
				referenceAt(t, crontab, "02:00:00", "100"),
			}
			v := view{crontab: crontab, jobsVersion: test.jobsVersion}
			for _, at := range test.seen {
				v.jobs = append(v.jobs, jobAt(t, crontab, at, ""))
			}
			var got []string
			for _, ref := range v.activeReferences() {
				got = append(got, ref.Name)
			}
			var want []string
			for _, at := range test.want {
				want = append(want, jobName(crontab, clockTime(t, at)))
			}
			if !slices.Equal(got, want) {
				t.Errorf("active Jobs are %v, want %v", got, want)
			}
		})
	}
}

func TestStatusIsStable(t *testing.T) {
	crontab := scheduled("@hourly", "", clockTime(t, "00:00:00"))
	crontab.Generation = 3
	now := clockTime(t, "01:00:01")
	v := view{crontab: crontab, jobs: []*batchv1.Job{jobAt(t, crontab, "01:00:00", "")}}
	status := v.status(decide(v, now), now)
	if status.ObservedGeneration != 3 || len(status.Active) != 1 ||
		!status.LastScheduleTime.Time.Equal(clockTime(t, "01:00:00")) || !status.NextScheduleTime.Time.Equal(clockTime(t, "02:00:00")) {
		t.Errorf("status is %+v", status)
	}

	v.crontab = crontab.DeepCopy()
	v.crontab.Status = status
	v.jobs[0] = v.jobs[0].DeepCopy()
	v.jobs[0].ResourceVersion = "200"
	later := clockTime(t, "01:30:00")
	if again := v.status(decide(v, later), later); !equality.Semantic.DeepEqual(again, status) {
		t.Errorf("nothing has happened, but the status changes to %+v\nfrom %+v", again, status)
	}
}

func TestTransitionTimeTellsOfTheStatusOnly(t *testing.T) {
	crontab := scheduled("@hourly", "", clockTime(t, "00:00:00"))
	at := func(clock string, change func(*v1.CronTabSpec)) metav1.Condition {
		change(&crontab.Spec)
		now := clockTime(t, clock)
		v := view{crontab: crontab}
		crontab.Status = v.status(decide(v, now), now)
		return crontab.Status.Conditions[0]
	}
	suspended := at("00:10:00", func(spec *v1.CronTabSpec) { spec.Suspend = new(true) })
	invalid := at("00:20:00", func(spec *v1.CronTabSpec) { spec.Schedule = "bad" })
	if invalid.Reason != v1.ReasonInvalidSchedule || !invalid.LastTransitionTime.Equal(&suspended.LastTransitionTime) {
		t.Errorf("False stays False: %+v, then %+v", suspended, invalid)
	}
	ready := at("00:30:00", func(spec *v1.CronTabSpec) { spec.Suspend, spec.Schedule = nil, "@hourly" })
	if ready.Status != metav1.ConditionTrue || !ready.LastTransitionTime.Time.Equal(clockTime(t, "00:30:00")) {
		t.Errorf("False becomes True: %+v", ready)
	}
}

// A skipped run is announced once, when the status moves on to the next.
func TestSkipIsNewOnce(t *testing.T) {
	crontab := scheduled("*/5 * * * *", "", clockTime(t, "00:00:00"))
	crontab.Spec.ConcurrencyPolicy = v1.ForbidConcurrent
	crontab.Status.NextScheduleTime = timeOrNil(clockTime(t, "00:10:00"))
	v := view{crontab: crontab, jobs: []*batchv1.Job{jobAt(t, crontab, "00:05:00", "")}}
	now := clockTime(t, "00:10:00")
	p := decide(v, now)
	if p.skip == nil || !p.skip.isNew(crontab.Status) {
		t.Fatalf("skip is %+v, want a new one", p.skip)
	}
	if !strings.Contains(p.skip.message, jobName(crontab, clockTime(t, "00:05:00"))) {
		t.Errorf("message %q does not name the active Job", p.skip.message)
	}
	crontab.Status = v.status(p, now)
	if p = decide(v, clockTime(t, "00:11:00")); p.skip == nil || p.skip.isNew(crontab.Status) {
		t.Errorf("skip is %+v, want the old one", p.skip)
	}
}
