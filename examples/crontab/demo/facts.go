package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/examples/crontab/internal/crontab"
	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

// The CronTabs of the demo, and how many Jobs the good one is to make.
const (
	good   = "good"
	wrong  = "wrong"
	doomed = "doomed"

	enoughJobs = 3
)

// facts are what the demo has seen so far. Methods may be called concurrently.
type facts struct {
	changed chan struct{} // holds a token after a change

	mu         sync.Mutex
	cronTabs   map[string]*v1.CronTab // by name, the last state, also after deletion
	gone       map[string]bool        // CronTabs that were deleted
	jobs       map[types.UID]jobFact
	finalizing map[string]bool // CronTabs that were seen being deleted, with our finalizer
	told       map[string]bool // "Reason on CronTab" of the events
	wrongRuns  int             // reconciles of the wrong CronTab
	runs       int             // reconciles
	unfenced   int             // of these, the ones that ended without the lease
}

type jobFact struct {
	name    string
	cronTab string                // as the label says
	owner   metav1.OwnerReference // the controller; zero for none
	live    bool
}

func newFacts() *facts {
	return &facts{
		changed:    make(chan struct{}, 1),
		cronTabs:   make(map[string]*v1.CronTab),
		gone:       make(map[string]bool),
		jobs:       make(map[types.UID]jobFact),
		finalizing: make(map[string]bool),
		told:       make(map[string]bool),
	}
}

// change applies a change under the lock and tells whoever waits.
func (f *facts) change(apply func()) {
	f.mu.Lock()
	apply()
	f.mu.Unlock()
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

func (f *facts) cronTab(event cache.Event[*v1.CronTab]) {
	f.change(func() {
		name := event.Key.Name
		f.cronTabs[name] = event.Object
		f.gone[name] = event.Type == cache.Deleted
		if event.Object.DeletionTimestamp != nil && slices.Contains(event.Object.Finalizers, v1.CronTabFinalizer) {
			f.finalizing[name] = true
		}
	})
}

func (f *facts) job(event cache.Event[*batchv1.Job]) {
	f.change(func() {
		fact := jobFact{name: event.Key.Name, cronTab: event.Object.Labels[crontab.Label], live: event.Type != cache.Deleted}
		if owner := metav1.GetControllerOf(event.Object); owner != nil {
			fact.owner = *owner
		}
		f.jobs[event.Object.UID] = fact
	})
}

func (f *facts) event(event *corev1.Event) {
	f.change(func() { f.told[event.Reason+" on "+event.InvolvedObject.Name] = true })
}

func (f *facts) reconciled(seen controller.Observation[types.NamespacedName], leading bool) {
	f.change(func() {
		f.runs++
		if seen.Key.Name == wrong {
			f.wrongRuns++
		}
		if !leading {
			f.unfenced++
		}
	})
}

// jobsOf returns how many Jobs a CronTab has made and how many of them are there, and an error if one is not owned by it.
func (f *facts) jobsOf(cronTab *v1.CronTab) (made, live int, err error) {
	for _, job := range f.jobs {
		if job.cronTab != cronTab.Name {
			continue
		}
		made++
		if job.live {
			live++
		}
		if job.owner.UID != cronTab.UID || job.owner.Kind != "CronTab" || job.owner.APIVersion != v1.SchemeGroupVersion.String() {
			err = fmt.Errorf("its Job %q is controlled by %+v", job.name, job.owner)
		}
	}
	return made, live, err
}

// isRunning says that the CronTab has a Job.
func (f *facts) isRunning(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, job := range f.jobs {
		if job.live && job.cronTab == name {
			return true
		}
	}
	return false
}

// areGone says that no CronTab is left of those that were seen.
func (f *facts) areGone() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name := range f.cronTabs {
		if !f.gone[name] {
			return false
		}
	}
	return true
}

// areComplete says that everything was seen that the checks ask for.
func (f *facts) areComplete() bool {
	return !slices.ContainsFunc(f.checks(), func(c check) bool { return c.err != nil })
}

// checks compares what was seen with what the controller promises.
func (f *facts) checks() []check {
	f.mu.Lock()
	defer f.mu.Unlock()
	return []check{
		{fmt.Sprintf("CronTab %s made %d Jobs or more, each owned by it", good, enoughJobs), f.of(good, f.checkGood)},
		{fmt.Sprintf("CronTab %s has the times of its last and next run in the status", good), f.of(good, f.checkStatus)},
		{fmt.Sprintf("CronTab %s reports its schedule by a condition and an event, made no Job, and was left alone", wrong), f.of(wrong, f.checkWrong)},
		{fmt.Sprintf("CronTab %s had a Job when it was deleted, and its finalizer deleted the Job first", doomed), f.of(doomed, f.checkDoomed)},
		{"the controller worked, and only while it led", f.checkLeadership()},
	}
}

// of checks a CronTab if it was seen.
func (f *facts) of(name string, check func(*v1.CronTab) error) error {
	cronTab := f.cronTabs[name]
	if cronTab == nil {
		return errNotSeen
	}
	return check(cronTab)
}

func (f *facts) checkGood(cronTab *v1.CronTab) error {
	made, _, err := f.jobsOf(cronTab)
	if err == nil && made < enoughJobs {
		err = fmt.Errorf("it made %d", made)
	}
	return err
}

func (f *facts) checkStatus(cronTab *v1.CronTab) error {
	status := cronTab.Status
	switch {
	case status.LastScheduleTime == nil:
		return errors.New("lastScheduleTime is not set")
	case status.NextScheduleTime == nil:
		return errors.New("nextScheduleTime is not set")
	case !meta.IsStatusConditionTrue(status.Conditions, v1.ConditionReady):
		return fmt.Errorf("condition %s is not True: %+v", v1.ConditionReady, status.Conditions)
	default:
		return nil
	}
}

// fewRuns is how often a CronTab that cannot run may be looked at: when it appears, when its status is written, when it is
// deleted, and a few times more for a conflict or a failed request.
const fewRuns = 8

func (f *facts) checkWrong(cronTab *v1.CronTab) error {
	made, _, _ := f.jobsOf(cronTab)
	ready := meta.FindStatusCondition(cronTab.Status.Conditions, v1.ConditionReady)
	switch {
	case ready == nil || ready.Status != metav1.ConditionFalse || ready.Reason != v1.ReasonInvalidSchedule:
		return fmt.Errorf("condition %s is %+v, expected False with reason %s", v1.ConditionReady, ready, v1.ReasonInvalidSchedule)
	case !strings.Contains(ready.Message, cronTab.Spec.Schedule):
		return fmt.Errorf("the message %q does not name the schedule", ready.Message)
	case !f.told["UnparseableSchedule on "+wrong]:
		return errors.New("there is no event")
	case made > 0:
		return fmt.Errorf("it made %d Jobs", made)
	case f.wrongRuns > fewRuns:
		return fmt.Errorf("it was reconciled %d times", f.wrongRuns)
	default:
		return nil
	}
}

func (f *facts) checkDoomed(cronTab *v1.CronTab) error {
	made, live, err := f.jobsOf(cronTab)
	switch {
	case made == 0:
		return errors.New("it made no Job")
	case !f.finalizing[doomed]:
		return errors.New("it was not seen being deleted with its finalizer")
	case !f.told["SuccessfulDelete on "+doomed]:
		return errors.New("no event tells that the controller deleted its Job")
	case live > 0:
		return fmt.Errorf("%d of its Jobs are still there", live)
	case !f.gone[doomed]:
		return errors.New("it is not gone")
	default:
		return err
	}
}

func (f *facts) checkLeadership() error {
	if f.runs == 0 || f.unfenced > 0 {
		return fmt.Errorf("%d of %d reconciles ended without the lease", f.unfenced, f.runs)
	}
	return nil
}
