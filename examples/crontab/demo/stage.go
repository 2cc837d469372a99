package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"

	"github.com/sluice-k8s/sluice/examples/crontab/internal/crontab"
	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/client"
	"github.com/sluice-k8s/sluice/pkg/controller/lease"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
)

// A stage is a namespace with the controller at work in it, and what was seen there.
type stage struct {
	cluster   *cluster
	say       *narrator
	facts     *facts
	namespace string
	clients   *client.Clients
	elector   *lease.Elector
	crontab   *crontab.Controller
	manager   *manager.Manager
	ended     chan struct{} // closed when the manager has stopped
}

// newStage makes the namespace and the controllers, which do not run yet.
func newStage(ctx context.Context, c *cluster, say *narrator) (*stage, error) {
	namespace, err := c.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "sluice-demo-"},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	s := &stage{cluster: c, say: say, facts: newFacts(), namespace: namespace.Name, ended: make(chan struct{})}
	if err := s.wire(); err != nil {
		s.leave()
		return nil, err
	}
	say.line("demo", "everything happens in namespace %s", s.namespace)
	return s, nil
}

// wire makes the program as the example's main function does, with two informers and a controller more.
func (s *stage) wire() error {
	life := manager.Options{LeaderElect: true, LeaseName: crontab.Name, LeaseNamespace: s.namespace, HealthAddress: "127.0.0.1:0"}
	config := rest.CopyConfig(s.cluster.config)
	var err error
	if s.elector, err = life.Elect(config); err != nil {
		return err
	}
	if s.clients, err = client.New(config); err != nil {
		return err
	}
	stable, err := versioned.NewForConfigAndClient(s.clients.Config(), s.clients.HTTPClient())
	if err != nil {
		return err
	}
	if s.crontab, err = crontab.New(s.clients.Typed, stable, crontab.Config{Namespace: s.namespace, Observe: s.reconciled}); err != nil {
		return err
	}
	s.crontab.CronTabs.Subscribe("demo", s.cronTab)
	s.crontab.Jobs.Subscribe("demo", s.job)
	events := cache.NewInformer(cache.FromClient(s.cluster.kube.CoreV1().Events(s.namespace)), cache.Config{Name: "events"})
	events.Subscribe("demo", s.event)
	parts := manager.Config{
		Name:          "demo",
		Informers:     []controller.Runner{events, s.crontab.CronTabs, s.crontab.Jobs},
		Controllers:   []controller.Runner{s.crontab},
		Recorders:     []controller.Runner{s.crontab.Events},
		Election:      s.elector,
		HealthAddress: life.HealthAddress,
	}
	if s.cluster.own != nil {
		s.say.line("demo", "this control plane has no nodes: Pods are marked as succeeded after as long as they would sleep")
		pods, kubelet, err := newKubelet(s.cluster.kube, s.namespace)
		if err != nil {
			return err
		}
		parts.Informers, parts.Unelected = append(parts.Informers, pods), []controller.Runner{kubelet}
	}
	s.manager, err = manager.New(parts)
	return err
}

// start runs the program. The returned function stops it and returns its error.
func (s *stage) start() (stop func() error) {
	logger := textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(s.say.as("log")), textlogger.WithHeader(false)))
	ctx, cancel := context.WithCancelCause(klog.NewContext(context.Background(), logger))
	var err error
	go func() {
		defer close(s.ended)
		err = s.manager.Run(ctx)
	}()
	return func() error {
		cancel(errors.New("the demo is over"))
		<-s.ended
		s.clients.CloseIdle()
		return err
	}
}

// leave removes the namespace; it does not wait for that.
func (s *stage) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.cluster.kube.CoreV1().Namespaces().Delete(ctx, s.namespace, metav1.DeleteOptions{}); err != nil {
		s.say.line("demo", "namespace %s is left behind: %v", s.namespace, err)
	}
}

func (s *stage) createCronTabs(ctx context.Context) error {
	for _, cronTab := range []struct{ name, schedule, sleep string }{
		{good, "@every 3s", "1"},
		{wrong, "61 * * * *", "1"},
		{doomed, "@every 2s", "3600"},
	} {
		_, err := s.cluster.stable.StableV1().CronTabs(s.namespace).Create(ctx, &v1.CronTab{
			ObjectMeta: metav1.ObjectMeta{Name: cronTab.name},
			Spec:       v1.CronTabSpec{Schedule: cronTab.schedule, Image: "busybox:1.37", Command: []string{"sleep", cronTab.sleep}},
		}, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("create CronTab %s: %w", cronTab.name, err)
		}
		s.say.line("demo", "created CronTab %s with schedule %q", cronTab.name, cronTab.schedule)
	}
	return nil
}

// watchUntilOver deletes the doomed CronTab when it has a Job, and waits until everything was seen and, on a terminal, until
// Ctrl-C. Being stopped is no error: the checks tell what is missing.
func (s *stage) watchUntilOver(ctx context.Context, interactive bool) error {
	if !s.await(ctx, func() bool { return s.facts.isRunning(doomed) }) {
		return nil
	}
	if err := s.deleteCronTab(ctx, doomed); err != nil {
		return err
	}
	s.say.line("demo", "deleted CronTab %s while its Job runs", doomed)
	if s.await(ctx, s.facts.areComplete) && interactive {
		s.say.line("demo", "everything expected was seen; it goes on until Ctrl-C")
		select {
		case <-ctx.Done():
		case <-s.ended:
		case <-s.cluster.crashed():
		}
	}
	return nil
}

// deleteCronTabs deletes what is left while the controller still runs, because its finalizer would hold up the namespace.
func (s *stage) deleteCronTabs() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s.say.line("demo", "deleting the other CronTabs")
	var errs []error
	for _, name := range []string{good, wrong, doomed} {
		if err := s.deleteCronTab(ctx, name); err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, err)
		}
	}
	if len(errs) == 0 {
		s.await(ctx, s.facts.areGone)
	}
	return errors.Join(errs...)
}

func (s *stage) deleteCronTab(ctx context.Context, name string) error {
	return s.cluster.stable.StableV1().CronTabs(s.namespace).Delete(ctx, name, metav1.DeleteOptions{})
}

// await waits until a condition on the facts holds. It returns false when the demo is stopped or patience is over.
func (s *stage) await(ctx context.Context, holds func() bool) bool {
	tooLong := time.NewTimer(patience)
	defer tooLong.Stop()
	for !holds() {
		select {
		case <-s.facts.changed:
		case <-tooLong.C:
			s.say.line("demo", "it takes too long: the checks below tell what is missing")
			return false
		case <-s.ended:
			s.say.line("demo", "the controller has stopped")
			return false
		case <-s.cluster.crashed():
			s.say.line("demo", "the control plane has crashed")
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (s *stage) cronTab(_ context.Context, event cache.Event[*v1.CronTab]) {
	s.facts.cronTab(event)
	text := ""
	if event.Object.DeletionTimestamp != nil {
		text = ", being deleted"
	}
	for _, condition := range event.Object.Status.Conditions {
		text += fmt.Sprintf(", %s=%s (%s)", condition.Type, condition.Status, condition.Reason)
	}
	s.say.line("cache", "%-7s CronTab %s at version %s%s", event.Type, event.Key.Name, event.Object.ResourceVersion, text)
}

func (s *stage) job(_ context.Context, event cache.Event[*batchv1.Job]) {
	s.facts.job(event)
	text := ""
	switch {
	case event.Object.DeletionTimestamp != nil:
		text = ", being deleted"
	case event.Object.Status.CompletionTime != nil:
		text = ", complete"
	case event.Object.Status.Active > 0:
		text = ", running"
	}
	s.say.line("cache", "%-7s Job %s at version %s%s", event.Type, event.Key.Name, event.Object.ResourceVersion, text)
}

func (s *stage) event(_ context.Context, event cache.Event[*corev1.Event]) {
	told := event.Object
	if event.Type == cache.Deleted || told.InvolvedObject.Kind != "CronTab" {
		return
	}
	s.facts.event(told)
	s.say.line("event", "%s %s on CronTab %s: %s", told.Type, told.Reason, told.InvolvedObject.Name, told.Message)
}

func (s *stage) reconciled(seen controller.Observation[types.NamespacedName]) {
	s.facts.reconciled(seen, s.elector.Status().Leading)
	s.say.line("controller", "reconciled CronTab %s in %v after %v in the queue: %v",
		seen.Key.Name, seen.Took.Round(time.Microsecond), seen.Queued.Round(time.Microsecond), seen.Result)
}

// summary tells in numbers what the pipeline did.
func (s *stage) summary() {
	cronTabs, jobs := s.crontab.CronTabs.Status(), s.crontab.Jobs.Status()
	s.say.line("summary", "informer of CronTabs: %d lists, %d watches, %d events", cronTabs.Lists, cronTabs.Watches, cronTabs.Events)
	s.say.line("summary", "informer of Jobs: %d lists, %d watches, %d events", jobs.Lists, jobs.Watches, jobs.Events)
	status := s.crontab.Status()
	s.say.line("summary", "controller: %d reconciles, %d of them retried, %d panics", status.Reconciles, status.Failures, status.Panics)
	events, election := s.crontab.Events.Status(), s.elector.Status()
	s.say.line("summary", "recorder: %d events recorded, %d sent", events.Recorded, events.Sent)
	s.say.line("summary", "election: %d writes refused or broken off without the lease", election.Refused)
}

// askHealth asks for the health page as a probe does, and shows it.
func (s *stage) askHealth(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.manager.Addr()+"/readyz?verbose", http.NoBody)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(page)) {
		s.say.line("readyz", "%s", strings.TrimSpace(line))
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the health page answers %s", response.Status)
	}
	return nil
}

// leaseIsGivenUp looks at the lease after the program has stopped.
func (s *stage) leaseIsGivenUp() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	held, err := s.cluster.kube.CoordinationV1().Leases(s.namespace).Get(ctx, crontab.Name, metav1.GetOptions{})
	switch {
	case err != nil:
		return err
	case held.Spec.HolderIdentity != nil && *held.Spec.HolderIdentity != "":
		return fmt.Errorf("it is held by %q", *held.Spec.HolderIdentity)
	}
	return nil
}
