package crontab

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

func asIs(*v1.CronTabSpec) {}

func TestRunsOnSchedule(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.run(setup{})
	crontab := c.create(func(spec *v1.CronTabSpec) { spec.Command = []string{"echo", "hello"} })

	job := c.awaitActive(2)[0]
	at, ok := scheduledAt(crontab, job)
	if !ok || !at.Equal(crontab.CreationTimestamp.Add(at.Sub(crontab.CreationTimestamp.Time).Truncate(time.Second))) {
		t.Errorf("Job %q is of %v, %v", job.Name, at, ok)
	}
	if !metav1.IsControlledBy(job, crontab) || job.Labels[Label] != "tab" {
		t.Errorf("Job %q has owners %+v, labels %v", job.Name, job.OwnerReferences, job.Labels)
	}
	if container := job.Spec.Template.Spec.Containers[0]; container.Image != "image" || !slices.Equal(container.Command, []string{"echo", "hello"}) {
		t.Errorf("Job %q runs %+v", job.Name, container)
	}
	if !slices.Contains(c.get().Finalizers, v1.CronTabFinalizer) {
		t.Errorf("finalizers are %v", c.get().Finalizers)
	}

	status := c.awaitStatus("two Jobs are active", func(status v1.CronTabStatus) bool { return len(status.Active) >= 2 })
	if status.ObservedGeneration != 1 || status.LastScheduleTime == nil || status.NextScheduleTime == nil ||
		!status.NextScheduleTime.After(status.LastScheduleTime.Time) {
		t.Errorf("status is %+v", status)
	}
	if ref := status.Active[0]; ref.Name != job.Name || ref.UID != job.UID || ref.Kind != "Job" {
		t.Errorf("first active Job is %+v, want %q", ref, job.Name)
	}
	if ready := status.Conditions[0]; ready.Type != v1.ConditionReady || ready.Status != metav1.ConditionTrue || ready.Reason != v1.ReasonScheduled {
		t.Errorf("condition is %+v", ready)
	}
	if event := c.awaitEvent("SuccessfulCreate")[0]; event.Type != corev1.EventTypeNormal || event.Regarding.UID != crontab.UID {
		t.Errorf("event is %+v", event)
	}
}

func TestBadScheduleIsReportedAndLeftAlone(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	var mu sync.Mutex
	var results []string
	c.run(setup{Config: Config{Observe: func(seen controller.Observation[types.NamespacedName]) {
		mu.Lock()
		defer mu.Unlock()
		results = append(results, seen.Result.String())
	}}})
	c.create(func(spec *v1.CronTabSpec) { spec.Schedule = "61 * * * *" })

	ready := c.awaitReason(v1.ReasonInvalidSchedule)
	if ready.Status != metav1.ConditionFalse || !strings.Contains(ready.Message, `"61 * * * *"`) {
		t.Errorf("condition is %+v", ready)
	}
	if event := c.awaitEvent("UnparseableSchedule")[0]; event.Type != corev1.EventTypeWarning || event.Note != ready.Message {
		t.Errorf("event is %+v", event)
	}
	c.change(map[string]any{"image": "other"})
	c.awaitStatus("the new spec is observed", func(status v1.CronTabStatus) bool { return status.ObservedGeneration == 2 })
	c.eventually("the reconcile has ended", func() (any, bool) {
		mu.Lock()
		defer mu.Unlock()
		return results, len(results) >= 2
	})
	mu.Lock()
	if slices.ContainsFunc(results, func(result string) bool { return result != "done" }) {
		t.Errorf("results are %q, want nothing but done", results)
	}
	mu.Unlock()
	if events := c.awaitEvent("UnparseableSchedule"); len(events) != 1 {
		t.Errorf("%d events tell of the same schedule", len(events))
	}

	c.change(map[string]any{"schedule": "@every 1s", "timeZone": "Mars/Olympus"})
	c.awaitReason(v1.ReasonInvalidTimeZone)
	c.change(map[string]any{"timeZone": nil})
	c.awaitReason(v1.ReasonScheduled)
	c.awaitActive(1)
}

func TestDeletionStopsActiveJobs(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.run(setup{})
	c.create(asIs)
	finished := c.awaitActive(2)[0]
	c.finish(finished, batchv1.JobFailed)
	// A finalizer keeps one Job: the CronTab has to wait for it.
	held := c.awaitActive(2)[0]
	c.patchJob(held, `{"metadata":{"finalizers":["example.com/hold"]}}`)

	c.delete(metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)})
	c.eventually("the other active Jobs have gone", func() (any, bool) {
		active := c.jobs().active()
		return active, len(active) == 1 && active[0].UID == held.UID && active[0].DeletionTimestamp != nil
	})
	if crontab := c.get(); crontab == nil || crontab.DeletionTimestamp == nil {
		t.Fatalf("CronTab is %+v, want it to wait for Job %q", crontab, held.Name)
	}
	c.patchJob(held, `{"metadata":{"finalizers":null}}`)
	c.eventually("the CronTab has gone", func() (any, bool) { crontab := c.get(); return crontab, crontab == nil })
	c.awaitEvent("SuccessfulDelete")
	for _, job := range c.jobs().jobs { // the garbage collector's
		if job.UID != finished.UID && job.DeletionTimestamp == nil {
			t.Errorf("Job %q is left", job.Name)
		}
	}
}

func (c *cluster) patchJob(job *batchv1.Job, patch string) {
	c.Helper()
	_, err := c.kube.BatchV1().Jobs(c.namespace).Patch(c.Context(), job.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		c.Fatal(err)
	}
}

func TestOrphanedJobsLiveOn(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.run(setup{})
	c.create(asIs)
	job := c.awaitActive(1)[0]
	c.delete(metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationOrphan)})
	c.eventually("the rest is left to the garbage collector", func() (any, bool) {
		crontab := c.get()
		return crontab, crontab == nil || slices.Equal(crontab.Finalizers, []string{metav1.FinalizerOrphanDependents})
	})
	if active := c.jobs().active(); len(active) == 0 || active[0].UID != job.UID || active[0].DeletionTimestamp != nil {
		t.Errorf("active Jobs are %+v", active)
	}
}

func TestForbidSkipsRuns(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.run(setup{})
	c.create(func(spec *v1.CronTabSpec) { spec.ConcurrencyPolicy = v1.ForbidConcurrent })
	first := c.awaitActive(1)[0]
	if event := c.awaitEvent("JobAlreadyActive")[0]; !strings.Contains(event.Note, first.Name) {
		t.Errorf("note is %q, want it to name Job %q", event.Note, first.Name)
	}
	if jobs := c.jobs().jobs; len(jobs) != 1 {
		t.Errorf("%d Jobs, want 1", len(jobs))
	}
	c.finish(first, batchv1.JobComplete)
	c.eventually("the next run has started", func() (any, bool) {
		active := c.jobs().active()
		return active, len(active) == 1 && active[0].UID != first.UID
	})
	c.awaitEvent("SawCompletedJob")
}

func TestReplaceDeletesTheActiveJob(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.run(setup{})
	c.create(func(spec *v1.CronTabSpec) { spec.ConcurrencyPolicy = v1.ReplaceConcurrent })
	seen := map[types.UID]bool{}
	c.eventually("three Jobs have run one after the other", func() (any, bool) {
		active := c.jobs().active()
		if len(active) > 1 {
			t.Fatalf("%d Jobs are active at the same time", len(active))
		}
		for _, job := range active {
			seen[job.UID] = true
		}
		return seen, len(seen) >= 3
	})
}

func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.run(setup{})
	c.create(func(spec *v1.CronTabSpec) {
		spec.SuccessfulJobsHistoryLimit, spec.FailedJobsHistoryLimit = new(int32(1)), new(int32(1))
	})
	c.awaitActive(4)
	c.change(map[string]any{"suspend": true})
	c.awaitReason(v1.ReasonSuspended)
	jobs := c.awaitActive(4)
	for n, job := range jobs {
		c.finish(job, []batchv1.JobConditionType{batchv1.JobComplete, batchv1.JobFailed}[n%2])
	}
	c.eventually("one of each is left, the latest", func() (any, bool) {
		left := c.jobs().jobs
		slices.SortFunc(left, byTime)
		return left, len(left) == 2 && left[0].UID == jobs[len(jobs)-2].UID && left[1].UID == jobs[len(jobs)-1].UID
	})
	c.awaitStatus("none is active", func(status v1.CronTabStatus) bool { return len(status.Active) == 0 })
}

func TestSuspendHoldsBackRuns(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.run(setup{})
	c.create(func(spec *v1.CronTabSpec) { spec.Suspend = new(true) })
	c.awaitReason(v1.ReasonSuspended)
	if status := c.get().Status; status.NextScheduleTime != nil || status.LastScheduleTime != nil {
		t.Errorf("status is %+v", status)
	}
	if jobs := c.jobs().jobs; len(jobs) > 0 {
		t.Errorf("%d Jobs in spite of suspend", len(jobs))
	}
	c.change(map[string]any{"suspend": false})
	c.awaitActive(1)
}

// Jobs that have completed go at once, so that their names cannot keep anybody from starting them again.
func noHistory(spec *v1.CronTabSpec) { spec.SuccessfulJobsHistoryLimit = new(int32(0)) }

func (c *cluster) expectNoneTwice(created map[string]int) {
	c.Helper()
	for name, count := range created {
		if count != 1 {
			c.Errorf("Job %q was created %d times", name, count)
		}
	}
}

// awaitRun waits until a run has started that is later than the last, and returns its time.
func (c *cluster) awaitRun(last time.Time) time.Time {
	c.Helper()
	return c.awaitStatus("a run has started", func(status v1.CronTabStatus) bool {
		return status.LastScheduleTime != nil && status.LastScheduleTime.After(last)
	}).LastScheduleTime.Time
}

func TestRestartRunsNoTimeTwice(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	created := c.created()
	c.create(noHistory)
	var last time.Time
	for range 4 {
		_, stop := c.run(setup{})
		last = c.awaitRun(last)
		stop()
	}
	c.expectNoneTwice(created())
}

func TestTwoControllersRunNoTimeTwice(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	created := c.created()
	_, stop := c.run(setup{})
	_, stopOther := c.run(setup{})
	c.create(noHistory)
	var last time.Time
	for range 4 {
		last = c.awaitRun(last)
	}
	stop()
	stopOther()
	counts := created()
	c.expectNoneTwice(counts)
	if len(counts) < 3 {
		t.Errorf("created are %v, want some", counts)
	}
}

func TestLateStartMakesUpForTheLatestRunOnly(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	crontab := c.create(func(spec *v1.CronTabSpec) { spec.Schedule = "@every 1h" })
	due := crontab.CreationTimestamp.Add(1000 * time.Hour)
	c.run(setup{Config: Config{Clock: clocktesting.NewFakeClock(due.Add(time.Minute))}})
	c.awaitEvent("TooManyMissedTimes")
	if jobs := c.jobs().jobs; len(jobs) != 1 || jobs[0].Name != jobName(crontab, due) {
		t.Errorf("Jobs are %+v, want %q", jobs, jobName(crontab, due))
	}
}

func TestJobOfSomebodyElse(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	crontab := c.create(func(spec *v1.CronTabSpec) { spec.Schedule = "@every 1h" })
	due := crontab.CreationTimestamp.Add(time.Hour)
	foreign := newJob(crontab, due)
	foreign.OwnerReferences = nil
	if _, err := c.kube.BatchV1().Jobs(c.namespace).Create(t.Context(), foreign, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	clock := clocktesting.NewFakeClock(due.Add(time.Second))
	running, _ := c.run(setup{Config: Config{Clock: clock}})
	if event := c.awaitEvent("FailedCreate")[0]; event.Type != corev1.EventTypeWarning || !strings.Contains(event.Note, foreign.Name) {
		t.Errorf("event is %+v", event)
	}
	status := c.awaitStatus("the next run is planned", func(status v1.CronTabStatus) bool { return status.NextScheduleTime != nil })
	if status.LastScheduleTime != nil || len(status.Active) > 0 {
		t.Errorf("status is %+v", status)
	}
	clock.SetTime(due.Add(time.Hour))
	c.awaitActive(2)
	if failures := running.Status().Failures; failures != 0 {
		t.Errorf("%d reconciles failed, want none", failures)
	}
}

func TestStatusOfAnOldVersionIsNotWritten(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	old := c.create(asIs)
	c.change(map[string]any{"image": "other"})
	stopped, closeIdle := c.newReplica(setup{})
	defer closeIdle()
	v := view{crontab: old}
	err := stopped.report(t.Context(), v, decide(v, time.Now()), time.Now())
	if !apierrors.IsConflict(err) {
		t.Errorf("error is %v, want a conflict", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	c := newCluster(t)
	if _, err := New(c.kube, c.stable, Config{Workers: -1}); err == nil || !strings.Contains(err.Error(), "Workers") {
		t.Errorf("error is %v, want one that names Workers", err)
	}
}
