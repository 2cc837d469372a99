package lease

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2/textlogger"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
)

func TestMain(m *testing.M) { os.Exit(controlplanetest.RunCheckingLeaks(m)) }

// A replica is a process with two clients of a real API server: one for its elector, which can be cut off, one behind its fence.
type replica struct {
	elector *Elector
	clients kubernetes.Interface
	cut     *atomic.Bool
	stop    context.CancelFunc
	leading chan struct{}
	ended   chan error
}

// newReplica returns one that gives the lease up after a time without the server.
func newReplica(t *testing.T, namespace string, deadline time.Duration) *replica {
	t.Helper()
	r := &replica{cut: &atomic.Bool{}, leading: make(chan struct{}), ended: make(chan error, 1)}
	config := controlplanetest.Config(t)
	unfenced := rest.CopyConfig(config)
	unfenced.Wrap(func(base http.RoundTripper) http.RoundTripper {
		return roundTrip(func(request *http.Request) (*http.Response, error) {
			if r.cut.Load() {
				return nil, errors.New("cut off")
			}
			return base.RoundTrip(request)
		})
	})
	elector, err := New(Config{
		Client: controlplanetest.Clientset(t, unfenced).CoordinationV1().Leases(namespace), Name: "it",
		Duration: deadline + time.Second, RenewDeadline: deadline, RetryPeriod: 200 * time.Millisecond,
		Logger: textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(t.Output()))),
	})
	if err != nil {
		t.Fatal(err)
	}
	config.Wrap(elector.Fence().Wrap)
	r.elector, r.clients = elector, controlplanetest.Clientset(t, config)
	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	go func() { r.ended <- elector.Run(ctx, r.lead) }()
	return r
}

func (r *replica) lead(ctx context.Context) error {
	close(r.leading)
	<-ctx.Done()
	return nil
}

func (r *replica) write(t *testing.T, namespace, name string) error {
	t.Helper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := r.clients.CoreV1().ConfigMaps(namespace).Create(context.WithoutCancel(t.Context()), object, metav1.CreateOptions{})
	return err
}

// Three replicas on a real API server: one hands the lease over, the next is cut off from it, the third takes it. At each time one
// can write, and nobody else.
func TestReplicasOnARealServer(t *testing.T) {
	namespace := controlplanetest.Namespace(t)
	one := newReplica(t, namespace, controlplanetest.Patience)
	controlplanetest.Receive(t, "the first leads", one.leading)
	two := newReplica(t, namespace, 2*time.Second) // it is to lose the lease, and may do so early
	if err := one.write(t, namespace, "by-one"); err != nil {
		t.Errorf("the leader writes: %v", err)
	}
	if err := two.write(t, namespace, "by-two"); !errors.Is(err, ErrNotLeader) {
		t.Errorf("the standby writes: %v, want ErrNotLeader", err)
	}

	began := time.Now()
	one.stop()
	if err := controlplanetest.Receive(t, "the first ends", one.ended); err != nil {
		t.Errorf("the first: %v", err)
	}
	controlplanetest.Receive(t, "the second leads", two.leading)
	t.Logf("handed over in %v", time.Since(began))
	if err := one.write(t, namespace, "late"); !errors.Is(err, ErrNotLeader) {
		t.Errorf("a write after the lease was given up: %v, want ErrNotLeader", err)
	}

	three := newReplica(t, namespace, 10*time.Second) // waits as long as it would want others to wait
	began = time.Now()
	two.cut.Store(true)
	controlplanetest.Receive(t, "the third leads", three.leading)
	t.Logf("taken over in %v", time.Since(began))
	if err := controlplanetest.Receive(t, "the second ends", two.ended); !errors.Is(err, ErrLost) {
		t.Errorf("the second: %v, want ErrLost", err)
	}
	if err := two.write(t, namespace, "by-two"); !errors.Is(err, ErrNotLeader) {
		t.Errorf("a write after the lease was lost: %v, want ErrNotLeader", err)
	}
	if err := three.write(t, namespace, "by-one"); !apierrors.IsAlreadyExists(err) {
		t.Errorf("the third leader writes: %v, want that it gets through", err)
	}
	if got := three.elector.Status(); fmt.Sprint(got.Transitions, got.Leading) != "2 true" {
		t.Errorf("status %+v, want two transitions", got)
	}
	three.stop()
	if err := controlplanetest.Receive(t, "the third ends", three.ended); err != nil {
		t.Errorf("the third: %v", err)
	}
}
