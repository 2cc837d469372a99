package crontab

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
)

// elected is the life of a replica among several. A lease that is given up has the next holder soon; a slow machine does not
// lose it.
func (c *cluster) elected() manager.Options {
	return manager.Options{
		LeaderElect: true, LeaseName: Name, LeaseNamespace: c.namespace,
		LeaseDuration: time.Minute, RenewDeadline: 50 * time.Second, RetryPeriod: 200 * time.Millisecond,
		HealthAddress: "127.0.0.1:0",
	}
}

func (c *cluster) awaitLeader(r *replica) {
	c.Helper()
	c.eventually("the replica leads", func() (any, bool) {
		status := r.elector.Status()
		return status, status.Leading
	})
}

// page returns a health page; code 0 if nobody serves it.
func (c *cluster) page(address, path string) (code int, text string) {
	c.Helper()
	request, err := http.NewRequestWithContext(c.Context(), http.MethodGet, "http://"+address+path, http.NoBody)
	if err != nil {
		c.Fatal(err)
	}
	var client http.Client
	client.Transport = &http.Transport{DisableKeepAlives: true}
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// awaitPage waits until a health page is served with the code, and returns it.
func (c *cluster) awaitPage(r *replica, path string, want int) (text string) {
	c.Helper()
	c.eventually(path+" is as expected", func() (any, bool) {
		var code int
		code, text = c.page(r.manager.Addr(), path)
		return text, code == want
	})
	return text
}

func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	created := c.created()
	one, stop := c.run(setup{life: c.elected()})
	c.awaitLeader(one)
	two, stopTwo := c.run(setup{life: c.elected()})
	c.awaitPage(two, "/readyz", http.StatusOK) // it is warm
	crontab := c.create(noHistory)
	status := c.awaitStatus("runs have started", func(status v1.CronTabStatus) bool {
		return status.LastScheduleTime != nil && status.LastScheduleTime.After(crontab.CreationTimestamp.Add(2*time.Second))
	})
	if two.elector.Status().Leading || two.Status().Reconciles > 0 {
		t.Errorf("the standby works: %+v", two.Status())
	}

	address := one.manager.Addr()
	stop()
	if code, text := c.page(address, "/livez"); code != 0 {
		t.Errorf("the replica that was stopped still answers: %s", text)
	}
	c.awaitLeader(two)
	c.awaitStatus("runs go on", func(now v1.CronTabStatus) bool {
		return now.LastScheduleTime.After(status.LastScheduleTime.Add(2 * time.Second))
	})
	stopTwo()
	c.expectNoneTwice(created())
	lease, err := c.kube.CoordinationV1().Leases(c.namespace).Get(t.Context(), Name, metav1.GetOptions{})
	if err != nil || *lease.Spec.HolderIdentity != "" {
		t.Errorf("the lease is not given up: %+v, %v", lease, err)
	}
}

func TestHealthPages(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	healthy, stop := c.run(setup{life: c.elected()})
	c.awaitLeader(healthy)
	text := c.awaitPage(healthy, "/readyz?verbose", http.StatusOK)
	for _, check := range []string{"informers/crontabs", "informers/jobs", "controllers/" + Name} {
		if !strings.Contains(text, "[+]"+check+" ok") {
			t.Errorf("the page does not tell of %s:\n%s", check, text)
		}
	}
	stop()

	ill, _ := c.run(setup{client: c.asController(nil), life: manager.Options{HealthAddress: "127.0.0.1:0"}})
	if text := c.awaitPage(ill, "/readyz", http.StatusInternalServerError); !strings.Contains(text, "[-]informers/jobs failed") {
		t.Errorf("the page does not tell of what it may not read:\n%s", text)
	}
	c.awaitPage(ill, "/livez", http.StatusOK) // a new process would be of no use
}

// A frost holds back what watches bring as soon as it is closed.
type frost chan struct{}

func (f frost) wrap(next http.RoundTripper) http.RoundTripper {
	return transport{next, func(request *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(request)
		if err == nil && request.URL.Query().Has("watch") {
			response.Body = frozenBody{response.Body, f, request.Context()}
		}
		return response, err
	}}
}

// A transport sends requests in a way of its own.
type transport struct {
	next http.RoundTripper
	send func(*http.Request) (*http.Response, error)
}

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) { return t.send(request) }

// WrappedRoundTripper lets idle connections be closed.
func (t transport) WrappedRoundTripper() http.RoundTripper { return t.next }

type frozenBody struct {
	io.ReadCloser

	frost frost
	ctx   context.Context
}

func (b frozenBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	select {
	case <-b.frost:
		<-b.ctx.Done()
		return 0, b.ctx.Err()
	default:
		return n, err
	}
}

// The leader starts a run, of which nothing is left but the status; the standby, whose caches hear nothing of it, takes over.
func TestStandbyWithStaleCachesRunsNoTimeTwice(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	created := c.created()
	crontab := c.create(func(spec *v1.CronTabSpec) {
		noHistory(spec)
		spec.Schedule = "@every 1h"
	})
	due := crontab.CreationTimestamp.Add(time.Hour)
	clock, clockTwo := clocktesting.NewFakeClock(due.Add(-time.Minute)), clocktesting.NewFakeClock(due.Add(time.Minute))
	one, stop := c.run(setup{Config: Config{Clock: clock}, life: c.elected()})
	c.awaitLeader(one)

	frost, config := make(frost), controlplanetest.Config(t)
	config.Wrap(frost.wrap)
	two, stopTwo := c.run(setup{Config: Config{Clock: clockTwo}, client: config, life: c.elected()})
	c.eventually("the standby knows the plan", func() (any, bool) {
		cached, ok := two.CronTabs.Indexer().Get(types.NamespacedName{Namespace: c.namespace, Name: "tab"})
		return cached, ok && cached.Status.NextScheduleTime != nil
	})
	close(frost)
	clock.SetTime(due.Add(time.Second))
	c.awaitStatus("the run has ended", func(status v1.CronTabStatus) bool {
		return status.LastScheduleTime != nil && len(status.Active) == 0 && len(c.jobs().jobs) == 0
	})
	stop()
	c.eventually("the standby has looked at it", func() (any, bool) {
		status := two.Status()
		return status, status.Reconciles > 0
	})
	stopTwo()
	if counts := created(); len(counts) != 1 || counts[jobName(crontab, due)] != 1 {
		t.Errorf("created are %v, want the Job of %v, once", counts, due)
	}
}
