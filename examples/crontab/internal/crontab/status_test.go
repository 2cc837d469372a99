package crontab

import (
	"fmt"
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

// at returns the view as it is after the status was written at a time of the day.
func (v view) at(t *testing.T, clock string) view {
	t.Helper()
	now := clockTime(t, clock)
	p := decide(v, now)
	v.crontab = v.crontab.DeepCopy()
	if err := v.describe(&v.crontab.Status, p, now); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestStatusIsStable(t *testing.T) {
	crontab := scheduled("@hourly", "", clockTime(t, "00:00:00"))
	crontab.Generation = 3
	v := view{crontab: crontab, jobs: []*batchv1.Job{jobAt(t, crontab, "01:00:00", "")}}.at(t, "01:00:01")
	status := v.crontab.Status
	if status.ObservedGeneration != 3 || len(status.Active) != 1 ||
		!status.LastScheduleTime.Time.Equal(clockTime(t, "01:00:00")) || !status.NextScheduleTime.Time.Equal(clockTime(t, "02:00:00")) {
		t.Errorf("status is %+v", status)
	}

	v.jobs[0] = v.jobs[0].DeepCopy()
	v.jobs[0].ResourceVersion = "200"
	if again := v.at(t, "01:30:00").crontab.Status; !equality.Semantic.DeepEqual(again, status) {
		t.Errorf("nothing has happened, but the status changes to %+v\nfrom %+v", again, status)
	}
}

// A cache of Jobs that is behind must not turn the time back.
func TestLastScheduleTimeNeverGoesBack(t *testing.T) {
	crontab := scheduled("@hourly", "", clockTime(t, "00:00:00"))
	v := view{crontab, []*batchv1.Job{jobAt(t, crontab, "02:00:00", "")}}.at(t, "02:00:01")
	v.jobs = []*batchv1.Job{jobAt(t, crontab, "01:00:00", "")}
	if last := v.at(t, "02:00:02").crontab.Status.LastScheduleTime; !last.Time.Equal(clockTime(t, "02:00:00")) {
		t.Errorf("lastScheduleTime is %v", last)
	}
}

func TestActiveJobsAreInTheOrderOfTheirCreation(t *testing.T) {
	crontab := scheduled("@hourly", "", clockTime(t, "00:00:00"))
	v := view{crontab, []*batchv1.Job{
		jobAt(t, crontab, "03:00:00", ""), jobAt(t, crontab, "01:00:00", ""), jobAt(t, crontab, "02:00:00", batchv1.JobFailed),
	}}.at(t, "03:00:01")
	var got []string
	for _, ref := range v.crontab.Status.Active {
		got = append(got, fmt.Sprint(ref.APIVersion, " ", ref.Kind, " ", ref.Namespace, "/", ref.Name, " ", ref.UID))
	}
	var want []string
	for _, at := range []string{"01:00:00", "03:00:00"} {
		job := jobAt(t, crontab, at, "")
		want = append(want, fmt.Sprint("batch/v1 Job default/", job.Name, " ", job.UID))
	}
	if !slices.Equal(got, want) {
		t.Errorf("active are %q, want %q", got, want)
	}
}

func TestTransitionTimeTellsOfTheStatusOnly(t *testing.T) {
	v := view{crontab: scheduled("@hourly", "", clockTime(t, "00:00:00"))}
	at := func(clock string, change func(*v1.CronTabSpec)) metav1.Condition {
		change(&v.crontab.Spec)
		v = v.at(t, clock)
		return v.crontab.Status.Conditions[0]
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

func TestConditionsOfOthersStay(t *testing.T) {
	crontab := scheduled("@hourly", "", clockTime(t, "00:00:00"))
	crontab.Status.Conditions = []metav1.Condition{{Type: "Audited", Status: metav1.ConditionTrue, Reason: "Passed"}}
	conditions := view{crontab: crontab}.at(t, "00:10:00").crontab.Status.Conditions
	if len(conditions) != 2 || conditions[0] != crontab.Status.Conditions[0] || conditions[1].Type != v1.ConditionReady {
		t.Errorf("conditions are %+v", conditions)
	}
}

// The end of a Job is told once: with the status in which it is no longer active.
func TestCompletionIsToldOnce(t *testing.T) {
	crontab := scheduled("@hourly", "", clockTime(t, "00:00:00"))
	v := view{crontab, []*batchv1.Job{jobAt(t, crontab, "01:00:00", "")}}.at(t, "01:00:01")
	if told := v.completions(); len(told) > 0 {
		t.Errorf("told of an active Job: %+v", told)
	}
	v.jobs = []*batchv1.Job{jobAt(t, crontab, "01:00:00", batchv1.JobFailed)}
	want := news{corev1.EventTypeNormal, "SawCompletedJob", fmt.Sprintf("Job %q has ended: Failed", v.jobs[0].Name)}
	if told := v.completions(); !slices.Equal(told, []news{want}) {
		t.Errorf("told %+v, want %+v", told, want)
	}
	if told := v.at(t, "01:00:02").completions(); len(told) > 0 {
		t.Errorf("told again: %+v", told)
	}
}
