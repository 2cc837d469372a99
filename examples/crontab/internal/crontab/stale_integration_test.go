package crontab

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
)

// The caches of these tests never learn anything: the informers do not run, and each reconcile gets the CronTab as it was
// when it was created.
func TestStaleCaches(t *testing.T) {
	for _, test := range []struct {
		name   string
		policy v1.ConcurrencyPolicy
		jobGo  bool          // the first Job is deleted before the second reconcile
		wait   time.Duration // between the two
		want   []time.Duration
	}{
		{name: "a run that the cache does not know", policy: v1.AllowConcurrent, want: []time.Duration{time.Hour}},
		{name: "a run that has come and gone", policy: v1.AllowConcurrent, jobGo: true},
		{name: "the next run", policy: v1.AllowConcurrent, wait: time.Hour, want: []time.Duration{time.Hour, 2 * time.Hour}},
		{name: "Forbid sees the active Job", policy: v1.ForbidConcurrent, wait: time.Hour, want: []time.Duration{time.Hour}},
		{name: "Replace sees the active Job", policy: v1.ReplaceConcurrent, wait: time.Hour, want: []time.Duration{2 * time.Hour}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			stale := c.create(func(spec *v1.CronTabSpec) { spec.Schedule, spec.ConcurrencyPolicy = "@every 1h", test.policy })
			clock := clocktesting.NewFakeClock(stale.CreationTimestamp.Add(time.Hour))
			controller, closeIdle := c.newReplica(setup{Config: Config{Clock: clock}})
			defer closeIdle()

			c.follow(controller, stale)
			if test.jobGo {
				background := metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}
				if err := c.kube.BatchV1().Jobs(c.namespace).Delete(t.Context(), c.jobs().jobs[0].Name, background); err != nil {
					t.Fatal(err)
				}
			}
			clock.Step(test.wait)
			c.follow(controller, stale)

			jobs := c.jobs().active()
			if len(jobs) != len(test.want) {
				t.Fatalf("%d Jobs, want those of %v: %+v", len(jobs), test.want, jobs)
			}
			for n, job := range jobs {
				if at, ok := scheduledAt(stale, job); !ok || at.Sub(stale.CreationTimestamp.Time) != test.want[n] {
					t.Errorf("Job %q is of %v, want %v after the creation", job.Name, at, test.want[n])
				}
			}
		})
	}
}

func (c *cluster) follow(stopped *replica, crontab *v1.CronTab) {
	c.Helper()
	if result := stopped.follow(c.Context(), crontab); result.Err() != nil {
		c.Fatal(result)
	}
}
