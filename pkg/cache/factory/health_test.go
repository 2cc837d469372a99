package factory_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/factory"
)

func TestOneThatCannotStartHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := begin(t, patient())
		defer stop()
		good, bad := newServer(), newServer()
		bad.setMissing(true)
		fine := acquire(t, f.Cluster("east"), good, factory.Options{})
		acquire(t, f.Cluster("east"), bad, factory.Options{Resource: "crontabs"})
		acquire(t, f.Cluster("west"), bad, factory.Options{})
		synctest.Wait()
		for _, err := range []error{f.WaitForSync(soon(t)), f.Ready()} {
			if err == nil {
				t.Fatal("two informers have not synced, but there is no error")
			}
			lines := strings.Split(err.Error(), `cache: informer "`)[1:]
			if len(lines) != 2 || !strings.HasPrefix(lines[0], `east/crontabs"`) || !strings.HasPrefix(lines[1], `west/core/v1.Pod"`) {
				t.Errorf("the errors are %q, want one for each that can't start", lines)
			}
			if strings.Count(err.Error(), "not found") != 2 {
				t.Errorf("the reasons are missing in %q", err)
			}
		}
		wantError(t, f.WaitForSync(soon(t)), context.DeadlineExceeded)
		wantNone(t, fine.Ready())
		if err := f.Cluster("west").Ready(); err == nil || strings.Contains(err.Error(), "east") {
			t.Errorf("of one cluster it is said: %v", err)
		}
		bad.setMissing(false) // they come up by themselves
		wantNone(t, f.WaitForSync(t.Context()))
		synctest.Wait()
		wantNone(t, f.Ready())
		wantNone(t, f.Cluster("west").WaitForSync(t.Context()))
	})
}

func TestWhatIsReleasedIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := begin(t, patient())
		defer stop()
		bad := newServer()
		bad.setMissing(true)
		lease := acquire(t, f.Cluster(""), bad, factory.Options{})
		waiting := make(chan error)
		go func() { waiting <- f.WaitForSync(t.Context()) }()
		synctest.Wait()
		lease.Release()
		wantNone(t, <-waiting)
	})
}

func TestTheEndIsToldToThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, bad := factory.New(patient()), newServer()
		bad.setMissing(true)
		acquire(t, f.Cluster(""), bad, factory.Options{})
		stop := start(t, f)
		waiting := make(chan error)
		go func() { waiting <- f.WaitForSync(t.Context()) }()
		synctest.Wait()
		go stop()
		wantError(t, <-waiting, cache.ErrStopped)
		stop()
	})
}

func TestNothingIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := begin(t, factory.Config{})
		defer stop()
		wantNone(t, f.Ready())
		wantNone(t, f.WaitForSync(t.Context()))
	})
}

func TestStatuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := begin(t, patient())
		defer stop()
		s := newServer()
		for _, cluster := range []string{"west", "east"} {
			for _, namespace := range []string{"b", "a"} {
				lease := acquire(t, f.Cluster(cluster), s, factory.Options{Namespaces: []string{namespace}})
				lease.Subscribe("watcher", ignore)
			}
			acquire(t, f.Cluster(cluster), s, factory.Options{})
		}
		acquire(t, f.Cluster("east"), s, factory.Options{})
		wantNone(t, f.WaitForSync(t.Context()))
		synctest.Wait()
		var told []string
		for _, status := range f.Statuses() {
			told = append(told, status.Identity.String())
			if !status.Synced || status.Unready != nil || status.Objects != 1 || !status.Reading.Connected {
				t.Errorf("the status is %+v", status)
			}
		}
		const want = `east/core/v1.Pod
east/core/v1.Pod, namespaces a
east/core/v1.Pod, namespaces b
west/core/v1.Pod
west/core/v1.Pod, namespaces a
west/core/v1.Pod, namespaces b`
		if got := strings.Join(told, "\n"); got != want {
			t.Errorf("the order is\n%s\nwant\n%s", got, want)
		}
		first, second := f.Statuses()[0], f.Cluster("east").Statuses()[1]
		if first.Leases != 2 || second.Leases != 1 || len(second.Subscriptions) != 1 || second.Namespaces[0] != "a" {
			t.Errorf("the details are %+v and %+v", first, second)
		}
		time.Sleep(time.Hour) // the server has nothing to say
		if got := f.Statuses()[0].Unready; got == nil {
			t.Error("stale is ready")
		}
	})
}
