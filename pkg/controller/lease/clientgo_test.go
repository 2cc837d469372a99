package lease

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typed "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// An old process elects with client-go's tools/leaderelection.
type old struct {
	leading, ended chan struct{}
	stop           context.CancelFunc
}

func startOld(t *testing.T, client Client) *old {
	t.Helper()
	o := &old{leading: make(chan struct{}), ended: make(chan struct{})}
	lock := &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Name: "it"}, Client: getter{client}, LockConfig: resourcelock.ResourceLockConfig{Identity: "old"},
	}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second, ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { close(o.leading) }, OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	o.stop = stop
	go func() {
		defer close(o.ended)
		elector.Run(ctx)
	}()
	return o
}

// getter gives client-go's lock the three methods that it calls.
type getter struct{ client Client }

func (g getter) Leases(string) typed.LeaseInterface { return only{Client: g.client} }

type only struct {
	typed.LeaseInterface
	Client
}

func (o only) Get(ctx context.Context, name string, options metav1.GetOptions) (*coordinationv1.Lease, error) {
	return o.Client.Get(ctx, name, options)
}

func (o only) Create(ctx context.Context, l *coordinationv1.Lease, options metav1.CreateOptions) (*coordinationv1.Lease, error) {
	return o.Client.Create(ctx, l, options)
}

func (o only) Update(ctx context.Context, l *coordinationv1.Lease, options metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	return o.Client.Update(ctx, l, options)
}

// A rolling update from client-go's election and back: each waits for the other, and takes what it gives up.
func TestHandsOverFromAndToClientGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		before := startOld(t, s)
		<-before.leading
		p := start(t, s, Config{Identity: "new"})
		time.Sleep(10 * time.Minute)
		p.allowed(false)
		before.stop()
		<-before.ended
		_, took := p.leads()
		between(t, "taken over", took, 0, 2400*time.Millisecond)

		after := startOld(t, s)
		time.Sleep(10 * time.Minute)
		p.allowed(true)
		if err := p.ends(); err != nil {
			t.Error(err)
		}
		began := time.Now()
		<-after.leading
		between(t, "handed over", time.Since(began), 0, 4400*time.Millisecond) // client-go's jitter
		if got := *s.spec().LeaseTransitions; got != 2 {
			t.Errorf("%d transitions, want 2", got)
		}
		after.stop()
		<-after.ended
	})
}

// The new one is cut off from the server. Its fence is closed long before client-go's election takes the lease.
func TestLosesTheLeaseToClientGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		var cut atomic.Bool
		p := start(t, cutting{s, &cut}, Config{Identity: "new"})
		ctx, _ := p.leads()
		other := startOld(t, s)
		time.Sleep(time.Minute)
		cut.Store(true)
		<-ctx.Done()
		closed := time.Now()
		<-other.leading
		between(t, "taken over", time.Since(closed), 3*time.Second, 15*time.Second) // it looks every 4.4 s at the latest, so it may see the last renewal as late
		_ = p.ends()
		other.stop()
		<-other.ended
	})
}

// cutting is a server behind a line that can be cut.
type cutting struct {
	*server

	cut *atomic.Bool
}

var errCut = errors.New("cut off")

func (c cutting) Get(ctx context.Context, name string, o metav1.GetOptions) (*coordinationv1.Lease, error) {
	if c.cut.Load() {
		return nil, errCut
	}
	return c.server.Get(ctx, name, o)
}

func (c cutting) Update(ctx context.Context, l *coordinationv1.Lease, o metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	if c.cut.Load() {
		return nil, errCut
	}
	return c.server.Update(ctx, l, o)
}
