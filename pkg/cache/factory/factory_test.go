package factory_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/cache/factory"
)

func ignore(context.Context, cache.Event[*corev1.Pod]) {}

func TestBeforeRunNothingIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := factory.New(patient()), newServer()
		lease := acquire(t, f.Cluster(""), s, factory.Options{})
		synctest.Wait()
		if got := len(s.asked()); got != 0 {
			t.Errorf("the server was asked %d times", got)
		}
		wantError(t, f.WaitForSync(soon(t)), context.DeadlineExceeded, "core/v1.Pod", "Run was not called")
		if err := f.Ready(); err == nil {
			t.Error("it is ready")
		}
		stop := start(t, f)
		wantNone(t, f.WaitForSync(t.Context()))
		wantNone(t, f.Ready())
		if lease.Indexer().Len() != 1 {
			t.Error("the informer is empty")
		}
		stop()
	})
}

func TestReleasedBeforeRunHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := factory.New(patient()), newServer()
		lease := acquire(t, f.Cluster(""), s, factory.Options{})
		subscription := lease.Subscribe("s", ignore)
		waiting := make(chan error, 2)
		go func() { waiting <- subscription.WaitForSync(t.Context()) }()
		go func() { waiting <- lease.WaitForSync(t.Context()) }()
		synctest.Wait()
		lease.Release()
		wantError(t, <-waiting, cache.ErrStopped)
		wantError(t, <-waiting, cache.ErrStopped)
		stop := start(t, f)
		if got := len(s.asked()); got != 0 || len(identities(f)) != 0 {
			t.Errorf("the server was asked %d times for %q", got, identities(f))
		}
		stop()
	})
}

func TestDuringRunInformersComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := begin(t, patient())
		defer stop()
		s, c := newServer(), f.Cluster("")
		first, second := acquire(t, c, s, factory.Options{}), acquire(t, c, s, factory.Options{})
		synctest.Wait()
		first.Release()
		first.Release() // once is enough
		if got := s.watching(); got != 1 || f.Statuses()[0].Leases != 1 {
			t.Errorf("with one lease left there are %d watches and %d leases", got, f.Statuses()[0].Leases)
		}
		second.Release()
		if got := s.watching(); got != 0 || len(f.Statuses()) != 0 {
			t.Errorf("%d watches are open after the last release, of %q", got, identities(f))
		}
		again := acquire(t, c, s, factory.Options{})
		if again.Informer == second.Informer {
			t.Error("the informer is not a new one")
		}
		wantNone(t, again.WaitForSync(t.Context()))
		if got := len(s.listed()); got != 2 {
			t.Errorf("%d lists, want one for each informer", got)
		}
	})
}

func TestTheLastReleaseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := begin(t, patient())
		defer stop()
		s, c := newServer(), f.Cluster("")
		var handled atomic.Bool
		lease := acquire(t, c, s, factory.Options{})
		lease.Subscribe("slow", func(context.Context, cache.Event[*corev1.Pod]) {
			time.Sleep(time.Minute)
			handled.Store(true)
		})
		synctest.Wait()
		both := make(chan bool, 2)
		for range 2 {
			go func() { lease.Release(); both <- handled.Load() }()
		}
		synctest.Wait() // meanwhile the factory is of use
		other := acquire(t, c, s, factory.Options{})
		wantNone(t, f.WaitForSync(t.Context()))
		for range 2 {
			if !<-both {
				t.Error("Release returned while a handler was running")
			}
		}
		wantNone(t, other.Ready())
	})
}

func TestRunWaitsForInformers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := factory.New(patient())
		var handled atomic.Bool
		acquire(t, f.Cluster(""), newServer(), factory.Options{}).Subscribe("slow",
			func(context.Context, cache.Event[*corev1.Pod]) {
				time.Sleep(time.Minute)
				handled.Store(true)
			})
		stop := start(t, f)
		synctest.Wait()
		stop()
		if !handled.Load() {
			t.Error("Run returned while a handler was running")
		}
	})
}

func TestAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := factory.New(patient()), newServer()
		lease := acquire(t, f.Cluster(""), s, factory.Options{})
		stop := start(t, f)
		wantNone(t, f.WaitForSync(t.Context()))
		stop()
		_, err := factory.Acquire(f.Cluster(""), s.open, factory.Options{})
		wantError(t, err, cache.ErrStopped)
		wantError(t, f.Run(t.Context()), cache.ErrStarted)
		wantError(t, f.Ready(), cache.ErrStopped)
		wantError(t, f.WaitForSync(t.Context()), cache.ErrStopped)
		if lease.Indexer().Len() != 1 {
			t.Error("what was read last is gone")
		}
		lease.Release()
		wantNone(t, lease.Run(t.Context()))
		if got := len(f.Statuses()); got != 0 {
			t.Errorf("there are %d informers after the end", got)
		}
	})
}

// Between the end of the context and that of Run nothing starts any more.
func TestWhileItStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := factory.New(patient()), newServer()
		lease := acquire(t, f.Cluster(""), s, factory.Options{})
		lease.Subscribe("slow", func(context.Context, cache.Event[*corev1.Pod]) { time.Sleep(time.Minute) })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		synctest.Wait()
		cancel()
		_, err := factory.Acquire(f.Cluster(""), s.open, factory.Options{Resource: "other"})
		wantError(t, err, cache.ErrStopped)
		begun := time.Now()
		lease.Release()
		if time.Since(begun) != time.Minute {
			t.Error("Release returned before the informer had ended")
		}
		wantNone(t, <-done)
	})
}

func TestAnInformerThatSomebodyElseRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := factory.New(patient()), newServer()
		lease := acquire(t, f.Cluster("east"), s, factory.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		byHand := make(chan error)
		go func() { byHand <- lease.Informer.Run(ctx) }()
		synctest.Wait()
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		synctest.Wait()
		cancel()
		wantError(t, <-done, cache.ErrStarted, "east/core/v1.Pod")
		wantNone(t, <-byHand)
	})
}

func TestALeaseRunsBesideItsReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := begin(t, patient())
		defer stop()
		s := newServer()
		lease := acquire(t, f.Cluster("east"), s, factory.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- lease.Run(ctx) }()
		synctest.Wait()
		if s.watching() != 1 {
			t.Error("the informer does not read")
		}
		cancel()
		wantNone(t, <-done)
		if s.watching() != 0 {
			t.Error("the lease was not released")
		}
		lease = acquire(t, f.Cluster("east"), s, factory.Options{})
		go func() { done <- lease.Run(t.Context()) }()
		synctest.Wait()
		f.Cluster("east").Stop()
		wantError(t, <-done, cache.ErrStopped, "east/core/v1.Pod")
	})
}

func TestAClusterIsTakenOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := begin(t, patient())
		defer stop()
		east, west := newServer(), newServer()
		gone := f.Cluster("east")
		held := acquire(t, gone, east, factory.Options{})
		acquire(t, gone, east, factory.Options{Namespaces: []string{"a"}})
		acquire(t, f.Cluster("west"), west, factory.Options{})
		synctest.Wait()
		gone.Stop()
		if east.watching() != 0 || west.watching() != 1 || !slices.Equal(identities(f), []string{"west/core/v1.Pod"}) {
			t.Errorf("%d and %d watches are open, of %q", east.watching(), west.watching(), identities(f))
		}
		_, err := factory.Acquire(gone, east.open, factory.Options{})
		wantError(t, err, cache.ErrStopped, `"east"`)
		wantError(t, gone.Ready(), cache.ErrStopped)
		wantError(t, gone.WaitForSync(t.Context()), cache.ErrStopped)

		back := f.Cluster("east")
		acquire(t, back, east, factory.Options{})
		held.Release() // one of before
		gone.Stop()
		synctest.Wait()
		if back == gone || back != f.Cluster("east") || back.Name() != "east" || east.watching() != 1 || len(back.Statuses()) != 1 {
			t.Errorf("the cluster that came back has %d watches", east.watching())
		}
	})
}
