package cache

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"
)

func TestInformerTellsEverySubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLiveServer()
		i := newTestInformer(s)
		var early, late log
		i.Subscribe("early", early.handle)
		stop := start(t, i)
		if err := i.WaitForSync(t.Context()); err != nil {
			t.Fatal(err)
		}
		early.want(t, "Added a@1 initial", "Added b@1 initial")

		s.stream.Modify(configMap("a", "u", "6"))
		early.want(t, "Added a@1 initial", "Added b@1 initial", "Updated a@6")

		subscription := i.Subscribe("late", late.handle)
		if err := subscription.WaitForSync(t.Context()); err != nil {
			t.Fatal(err)
		}
		slices.Sort(late.entries)
		late.want(t, "Added a@6 initial", "Added b@1 initial")

		s.stream.Delete(configMap("b", "u", "7"))
		s.stream.Add(configMap("c", "u", "8"))
		late.want(t, "Added a@6 initial", "Added b@1 initial", "Deleted b@7", "Added c@8")
		stop()
	})
}

func TestCloseEndsASubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLiveServer()
		i := newTestInformer(s)
		var before, closed, stays log
		i.Subscribe("never started", before.handle).Close()
		subscription := i.Subscribe("closed", closed.handle)
		i.Subscribe("stays", stays.handle)
		stop := start(t, i)
		synctest.Wait()
		subscription.Close()
		subscription.Close()
		s.stream.Modify(configMap("a", "u", "6"))
		stays.want(t, "Added a@1 initial", "Added b@1 initial", "Updated a@6")
		closed.want(t, "Added a@1 initial", "Added b@1 initial")
		before.want(t)
		stop()
	})
}

func TestWaitForSyncSaysWhyNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forbidden := reply{err: apierrors.NewForbidden(pods, "", errors.New("no rights"))}
		i := newTestInformer(&scriptedServer{replies: []reply{forbidden, forbidden}})
		stop := start(t, i)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := i.WaitForSync(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no rights") {
			t.Errorf("the error is %q, want the deadline and the server's reason", err)
		}
		stop()
	})
}

// Who waits often has the context that Run has. What the server said is not lost with it, whoever of the two is faster.
func TestWaitForSyncSaysWhyNotAtTheEndOfRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forbidden := reply{err: apierrors.NewForbidden(pods, "", errors.New("no rights"))}
		i := newTestInformer(&scriptedServer{replies: []reply{forbidden}})
		subscription, holds := i.Subscribe("s", new(log).handle), make(chan struct{})
		i.running.Go(func() { <-holds }) // so that Run does not return yet
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		done := make(chan error)
		go func() { done <- i.Run(ctx) }()
		check := func() {
			t.Helper()
			for _, wait := range []func(context.Context) error{i.WaitForSync, subscription.WaitForSync} {
				if err := wait(ctx); !errors.Is(err, context.DeadlineExceeded) || !apierrors.IsForbidden(err) {
					t.Errorf("the error is %q, want the deadline and the server's reason", err)
				}
			}
			if err := i.Ready(); !errors.Is(err, ErrStopped) {
				t.Errorf("it is %v, want ErrStopped", err)
			}
		}
		<-ctx.Done()
		synctest.Wait()
		check()
		close(holds)
		if err := <-done; err != nil {
			t.Error(err)
		}
		check()
		if err := i.WaitForSync(t.Context()); !errors.Is(err, ErrStopped) || !apierrors.IsForbidden(err) {
			t.Errorf("the error is %q, want that it has stopped and the server's reason", err)
		}
	})
}

func TestWaitForSyncOfAnInformerThatNobodyRuns(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	i := newTestInformer(&scriptedServer{})
	for _, wait := range []func(context.Context) error{i.WaitForSync, i.Subscribe("s", new(log).handle).WaitForSync} {
		if err := wait(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "Run was not called") {
			t.Errorf("the error is %q, want it to say that Run was not called", err)
		}
	}
}

func TestWaitForSyncPrefersWhatIsTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newTestInformer(newLiveServer())
		subscription := i.Subscribe("s", new(log).handle)
		stop := start(t, i)
		synctest.Wait()
		over, cancel := context.WithCancel(t.Context())
		cancel()
		check := func() {
			for range 50 {
				if err := errors.Join(i.WaitForSync(over), subscription.WaitForSync(over)); err != nil {
					t.Fatalf("it has synced, but: %v", err)
				}
			}
		}
		check()
		stop()
		check()
		if i.Status().Connected {
			t.Error("still connected after Run has returned")
		}
	})
}

// A lateServer answers and closes its streams long after it was told to stop.
type lateServer struct{ *liveServer }

type lateStream struct{ *watch.FakeWatcher }

func (s lateServer) Watch(context.Context, metav1.ListOptions) (watch.Interface, error) {
	return lateStream{s.stream}, nil
}

func (s lateStream) Stop() {
	time.AfterFunc(time.Minute, s.FakeWatcher.Stop)
}

func TestRunWaits(t *testing.T) {
	sleepy := func(context.Context, Event[*corev1.ConfigMap]) { time.Sleep(time.Minute) }
	tests := map[string]struct {
		source  func() ListerWatcher[*corev1.ConfigMap]
		handler Handler[*corev1.ConfigMap]
	}{
		"for a stream":  {func() ListerWatcher[*corev1.ConfigMap] { return lateServer{newLiveServer()} }, new(log).handle},
		"for a handler": {func() ListerWatcher[*corev1.ConfigMap] { return newLiveServer() }, sleepy},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := newTestInformer(test.source())
				i.Subscribe("s", test.handler)
				stop := start(t, i)
				synctest.Wait()
				begin := time.Now()
				stop()
				if got := time.Since(begin); got != time.Minute {
					t.Errorf("Run returned after %v, want it to wait for what ends after a minute", got)
				}
			})
		})
	}
}

func TestCloseDropsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newTestInformer(newLiveServer())
		var seen log
		subscription := i.Subscribe("slow", func(ctx context.Context, event Event[*corev1.ConfigMap]) {
			time.Sleep(time.Minute)
			seen.handle(ctx, event)
		})
		stop := start(t, i)
		synctest.Wait()
		subscription.Close()
		seen.want(t, "Added a@1 initial") // it was at this one; b was dropped
		stop()
	})
}

func TestLogsGoToTheLoggerOfRun(t *testing.T) {
	for _, own := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
			config, ctx := Config{}, klog.NewContext(t.Context(), logger)
			if own {
				config.Logger, ctx = logger, t.Context()
			}
			i := NewInformer(ListerWatcher[*corev1.ConfigMap](newLiveServer()), config)
			AddIndex(i.Indexer(), "bad", func(*corev1.ConfigMap) ([]string, error) { panic("a bug") })
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if err := i.Run(ctx); err != nil {
				t.Fatal(err)
			}
			sink, ok := logger.GetSink().(ktesting.Underlier)
			if !ok || !strings.Contains(sink.GetBuffer().String(), "Object quarantined") {
				t.Error("the logger of Run did not hear of the index error")
			}
		})
	}
}

// client-go's fake clientsets send objects without a resource version.
func TestFakeClientset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		configMaps := fake.NewClientset().CoreV1().ConfigMaps("ns")
		i := NewInformer(FromClient(configMaps), Config{})
		var seen log
		i.Subscribe("s", seen.handle)
		stop := start(t, i)
		synctest.Wait()
		if _, err := configMaps.Create(t.Context(), configMap("a", "u", ""), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, ok := i.Indexer().Get(types.NamespacedName{Namespace: "ns", Name: "a"}); !ok {
			t.Errorf("the created object is not in the cache: %+v", i.Status())
		}
		stop()
	})
}

func TestSyncedIsClosedByTheFirstList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newTestInformer(newLiveServer())
		synced := i.Synced()
		if isClosed(synced) {
			t.Error("an informer that does not run is synced")
		}
		stop := start(t, i)
		<-synced
		if !i.HasSynced() {
			t.Error("the informer has not synced")
		}
		stop()
	})
}

func TestAStoppedInformer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newTestInformer(&scriptedServer{})
		subscription := i.Subscribe("before", new(log).handle)
		start(t, i)()
		late := i.Subscribe("after", new(log).handle)
		for name, err := range map[string]error{
			"WaitForSync":                   i.WaitForSync(t.Context()),
			"WaitForSync of a subscription": subscription.WaitForSync(t.Context()),
			"WaitForSync of a late one":     late.WaitForSync(t.Context()),
		} {
			if !errors.Is(err, ErrStopped) {
				t.Errorf("%s returned %v, want ErrStopped", name, err)
			}
		}
		subscription.Close()
		late.Close()
		if err := i.Run(t.Context()); !errors.Is(err, ErrStarted) {
			t.Errorf("a second Run returned %v, want ErrStarted", err)
		}
	})
}

func TestInformerCountsIndexErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newTestInformer(newLiveServer())
		AddIndex(i.Indexer(), "bad", func(*corev1.ConfigMap) ([]string, error) { panic("a bug") })
		stop := start(t, i)
		if err := i.WaitForSync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := i.Status().Failures; got != 2 {
			t.Errorf("%d index errors, want one for each object", got)
		}
		if _, ok := i.Indexer().Get(types.NamespacedName{Namespace: "ns", Name: "a"}); !ok {
			t.Error("the object is not stored")
		}
		stop()
	})
}

func TestNames(t *testing.T) {
	if got := newTestInformer(&scriptedServer{}).Name(); got != "*v1.ConfigMap" {
		t.Errorf("the default name is %q", got)
	}
	if got := NewInformer(ListerWatcher[*corev1.ConfigMap](&scriptedServer{}), Config{Name: "settings"}).Name(); got != "settings" {
		t.Errorf("the name is %q", got)
	}
}
