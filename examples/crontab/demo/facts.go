package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

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

	mu       sync.Mutex
	cronTabs map[string]*v1.CronTab // by name, the last state, also after deletion
	gone     map[string]bool        // CronTabs that were deleted
	jobs     map[types.UID]jobFact
	orphaned map[string][]string // by CronTab, its Jobs that were still running when it was gone
	failures int                 // reconciles of the wrong CronTab to be retried
}

type jobFact struct {
	name  string
	owner metav1.OwnerReference // the controller; zero for none
	live  bool
}

func newFacts() *facts {
	return &facts{
		changed:  make(chan struct{}, 1),
		cronTabs: make(map[string]*v1.CronTab),
		gone:     make(map[string]bool),
		jobs:     make(map[types.UID]jobFact),
		orphaned: make(map[string][]string),
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

// cronTab takes an event and the names of the Jobs that the CronTab has running.
func (f *facts) cronTab(event cache.Event[*v1.CronTab], running []string) {
	f.change(func() {
		f.cronTabs[event.Key.Name] = event.Object
		if event.Type == cache.Deleted {
			f.gone[event.Key.Name] = true
			f.orphaned[event.Key.Name] = running
		}
	})
}

func (f *facts) job(event cache.Event[*batchv1.Job]) {
	f.change(func() {
		fact := jobFact{name: event.Key.Name, live: event.Type != cache.Deleted}
		if owner := metav1.GetControllerOf(event.Object); owner != nil {
			fact.owner = *owner
		}
		f.jobs[event.Object.UID] = fact
	})
}

// made returns how many Jobs a CronTab has made, and the first that claims to be its own and is not.
func (f *facts) made(cronTab *v1.CronTab) (count int, forged error) {
	for _, job := range f.jobs {
		switch {
		case job.owner.Name != cronTab.Name:
		case job.owner.UID != cronTab.UID:
			forged = fmt.Errorf("job %q belongs to another CronTab of the name", job.name)
		default:
			count++
		}
	}
	return count, forged
}

func (f *facts) reconciled(seen controller.Observation[types.NamespacedName]) {
	if seen.Key.Name == wrong && seen.Result.Err() != nil {
		f.change(func() { f.failures++ })
	}
}

// isRunning says that the CronTab has a Job.
func (f *facts) isRunning(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, job := range f.jobs {
		if job.live && job.owner.Name == name {
			return true
		}
	}
	return false
}

// areGone says that no CronTab is left of those that were seen.
func (f *facts) areGone() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.gone) == len(f.cronTabs)
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
		{fmt.Sprintf("CronTab %s made %d Jobs or more, each owned by it", good, enoughJobs), f.checkJobs()},
		{fmt.Sprintf("CronTab %s has its times in the status", good), f.checkStatus()},
		{fmt.Sprintf("CronTab %s reports its schedule by a condition, made no Job, and was not retried", wrong), f.checkWrong()},
		{fmt.Sprintf("CronTab %s had a Job when it was deleted, and its finalizer removed the Job first", doomed), f.checkDoomed()},
	}
}

func (f *facts) checkJobs() error {
	cronTab := f.cronTabs[good]
	if cronTab == nil {
		return errNotSeen
	}
	made, err := f.made(cronTab)
	if err == nil && made < enoughJobs {
		err = fmt.Errorf("it made %d", made)
	}
	return err
}

func (f *facts) checkStatus() error {
	cronTab := f.cronTabs[good]
	switch {
	case cronTab == nil:
		return errNotSeen
	case cronTab.Status.LastScheduleTime == nil:
		return errors.New("lastScheduleTime is not set")
	case !meta.IsStatusConditionTrue(cronTab.Status.Conditions, v1.ConditionReady):
		return fmt.Errorf("condition %s is not True: %+v", v1.ConditionReady, cronTab.Status.Conditions)
	default:
		return nil
	}
}

func (f *facts) checkWrong() error {
	cronTab := f.cronTabs[wrong]
	if cronTab == nil {
		return errNotSeen
	}
	made, _ := f.made(cronTab)
	ready := meta.FindStatusCondition(cronTab.Status.Conditions, v1.ConditionReady)
	switch {
	case ready == nil || ready.Status != metav1.ConditionFalse || ready.Reason != v1.ReasonInvalidSchedule:
		return fmt.Errorf("condition %s is %+v, expected False with reason %s", v1.ConditionReady, ready, v1.ReasonInvalidSchedule)
	case made > 0:
		return fmt.Errorf("it made %d Jobs", made)
	case f.failures > 0:
		return fmt.Errorf("it was retried %d times", f.failures)
	default:
		return nil
	}
}

func (f *facts) checkDoomed() error {
	cronTab := f.cronTabs[doomed]
	if cronTab == nil || !f.gone[doomed] {
		return errors.New("it is not gone")
	}
	made, err := f.made(cronTab)
	switch {
	case made == 0:
		return errors.New("it made no Job")
	case len(f.orphaned[doomed]) > 0:
		return fmt.Errorf("still running when the CronTab was gone: %q", f.orphaned[doomed])
	default:
		return err
	}
}
