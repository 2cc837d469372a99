package integration_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/client"
	"github.com/sluice-k8s/sluice/pkg/controller/lease"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
)

// A replica is a program that writes as long as it may, one write after the other. Its name is its user agent.
type replica struct {
	name    string
	elector *lease.Elector
	clients *client.Clients // behind the fence
	enough  atomic.Bool
	writes  atomic.Int32
	refused atomic.Int32
	stop    context.CancelFunc
	ended   chan error
}

// newReplica runs a replica. All that it asks for goes through the proxy.
func (w world) newReplica(p *proxy, name string) *replica {
	w.t.Helper()
	clients, err := client.New(p.config(name))
	w.must(err)
	w.t.Cleanup(clients.CloseIdle)
	r := &replica{name: name, ended: make(chan error, 1)}
	r.elector, err = lease.New(lease.Config{
		Client: clients.Typed.CoordinationV1().Leases(w.namespace), Name: "writer", Identity: name,
		Duration: 5 * time.Second, RenewDeadline: 3 * time.Second, RetryPeriod: 200 * time.Millisecond,
	})
	w.must(err)
	r.clients, err = clients.Wrap(r.elector.Fence().Wrap)
	w.must(err)
	r.run(w)
	return r
}

// run runs the replica as a program with an election, until the end of the test at the latest.
func (r *replica) run(w world) {
	w.t.Helper()
	informer := cache.NewInformer(cache.FromClient(r.clients.Typed.CoreV1().ConfigMaps(w.namespace)), cache.Config{})
	writer, err := controller.New(controller.Config[key]{
		Name: "writer", Sources: []controller.Source[key]{controller.For(informer)}, Reconcile: r.write,
	})
	w.must(err)
	m, err := manager.New(manager.Config{
		Name: r.name, Informers: []controller.Runner{informer}, Controllers: []controller.Runner{writer}, Election: r.elector,
		Logger: newLogger(w.t),
	})
	w.must(err)
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.ended <- m.Run(ctx)
	}()
	w.t.Cleanup(func() {
		r.enough.Store(true)
		stop()
		<-done
	})
}

// write is a reconcile that heeds no context: only the fence stops it, or that it was enough.
func (r *replica) write(ctx context.Context, key key) controller.Result {
	if key.Name != "page" {
		return controller.Done()
	}
	configMaps := r.clients.Typed.CoreV1().ConfigMaps(key.Namespace)
	for !r.enough.Load() {
		patch := []byte(`{"data":{"` + r.name + `":"` + strconv.Itoa(int(r.writes.Add(1))) + `"}}`)
		_, err := configMaps.Patch(context.WithoutCancel(ctx), key.Name, types.MergePatchType, patch, metav1.PatchOptions{})
		if errors.Is(err, lease.ErrNotLeader) && r.refused.Add(1) > 10 {
			return controller.Retry(err)
		}
	}
	return controller.Done()
}

// asksForLease tells the requests of this replica for its lease.
func (r *replica) asksForLease(request *http.Request) bool {
	return request.UserAgent() == r.name && strings.Contains(request.URL.Path, "/leases/")
}

// wrote waits until a replica has written.
func (w world) wrote(r *replica) {
	w.t.Helper()
	controlplanetest.AwaitTrue(w.t, r.name+" writes", func() bool { return len(w.audit(writesOf(r.name, "configmaps"))) > 0 })
}

// The leader loses its way to the lease, and nothing else. It goes on writing as fast as it can, and may until its lease has
// expired by its own clock; the other one waits for that. The API server's audit log is the witness.
func TestLeaseIsCutOff(t *testing.T) {
	w := newWorld(t)
	p := newProxy(t, w.config)
	w.page("page")
	one := w.newReplica(p, "one")
	w.wrote(one)
	two := w.newReplica(p, "two")
	p.lose(one.asksForLease)
	if err := controlplanetest.Receive(t, "the end of the one that was cut off", one.ended); !errors.Is(err, lease.ErrLost) {
		t.Errorf("it ended with %v, want ErrLost", err)
	}
	expiry := one.elector.Status().Expires
	w.wrote(two)
	two.enough.Store(true)
	two.stop()
	if err := controlplanetest.Receive(t, "the end of the other one", two.ended); err != nil {
		t.Error(err)
	}
	before, after := w.audit(writesOf(one.name, "configmaps")), w.audit(writesOf(two.name, "configmaps"))
	t.Logf("one wrote %d times and was refused %d times, two wrote %d times", len(before), one.refused.Load(), len(after))
	last, first := before[len(before)-1], after[0]
	if !last.StageTimestamp.Before(first.RequestReceivedTimestamp) {
		t.Errorf("one was answered until %v, two wrote from %v on", last.StageTimestamp, first.RequestReceivedTimestamp)
	}
	late := 0
	for _, r := range before {
		if r.RequestReceivedTimestamp.After(expiry) {
			late++
		}
	}
	if late > 1 { // the one that was under way
		t.Errorf("%d writes of one arrived after its lease had expired, at %v", late, expiry)
	}
	if one.refused.Load() == 0 {
		t.Error("one did not try to write any more, so nothing is shown")
	}
}
