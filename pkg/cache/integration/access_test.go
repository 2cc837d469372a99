package integration_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/cache"
)

// An account is a service account without rights, and a file with its token.
type account struct {
	t      *testing.T
	hand   hand
	plane  plane
	name   string
	file   string
	client kubernetes.Interface
}

func newAccount(t *testing.T, p plane, h hand) account {
	t.Helper()
	a := account{t: t, hand: h, plane: p, name: "reader", file: filepath.Join(t.TempDir(), "token")}
	object := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: a.name}}
	_, err := h.server.client.CoreV1().ServiceAccounts(h.namespace).Create(t.Context(), object, metav1.CreateOptions{})
	p.must(err)
	config := rest.AnonymousClientConfig(h.server.config)
	config.QPS = -1
	// BearerTokenFile does the same but for one thing: after a 401 it takes client-go up to a minute to read the file again.
	config.WrapTransport = transport.ResettableTokenSourceWrapTransport(transport.NewCachedFileTokenSource(a.file))
	a.client, err = kubernetes.NewForConfigAndClient(config, controlplanetest.HTTPClient(t, config))
	p.must(err)
	return a
}

func (a account) source() cache.ListerWatcher[configMap] {
	return cache.FromClient(a.client.CoreV1().ConfigMaps(a.hand.namespace))
}

// renew writes a token for a time.
func (a account) renew(lifetime time.Duration) {
	a.t.Helper()
	token, err := a.plane.Token(a.t.Context(), a.hand.namespace, a.name, lifetime)
	a.plane.must(err)
	a.plane.must(os.WriteFile(a.file, []byte(token), 0o600))
}

func (a account) grant() {
	a.t.Helper()
	_, err := a.bindings().Create(a.t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: a.name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: a.hand.namespace, Name: a.name}},
	}, metav1.CreateOptions{})
	a.plane.must(err)
}

func (a account) revoke() {
	a.t.Helper()
	a.plane.must(a.bindings().Delete(a.t.Context(), a.name, metav1.DeleteOptions{}))
}

func (a account) bindings() interface {
	Create(ctx context.Context, binding *rbacv1.RoleBinding, opts metav1.CreateOptions) (*rbacv1.RoleBinding, error)
	Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error
} {
	return a.hand.server.client.RbacV1().RoleBindings(a.hand.namespace)
}

// soon has the server end watches, which is when it looks at tokens and rights: an open watch goes on without them.
var soon = cache.Config{WatchTimeout: time.Second}

// No watch can be opened until there is a new token. Then it goes on where it was.
func TestTokenEnds(t *testing.T) {
	plane, server := newPlane(t)
	h := configMaps(t, server, server.newNamespace(t))
	a := newAccount(t, plane, h)
	a.grant()
	h.puts("first")
	a.renew(time.Second)
	s := open(t, a.source(), h.resource, soon)
	controlplanetest.Await(t, func(ctx context.Context) error { // on a slow machine a token ends before it was used
		wait, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		err := s.informer.WaitForSync(wait)
		if err != nil {
			a.renew(time.Second)
		}
		return err
	})
	s.ended("watch unauthorized", 2)
	s.unready("Unauthorized")
	h.puts("first", "meanwhile")
	h.removes("first")
	a.renew(time.Hour)
	s.ready()
	s.converges()
	s.relists(map[string]int{"start": 1})
}

// An informer that may not read says so, whether it had synced before or not, and heals by itself.
func TestRightsAreTakenAway(t *testing.T) {
	plane, server := newPlane(t)
	h := configMaps(t, server, server.newNamespace(t))
	a := newAccount(t, plane, h)
	a.renew(time.Hour)
	a.grant()
	h.puts("first")
	before := opened(t, a.source(), h.resource, soon)
	a.revoke()
	before.ended("watch forbidden", 2)
	before.unready("is forbidden")
	late := open(t, a.source(), h.resource, soon)
	late.unready("is forbidden")
	h.puts("first", "meanwhile")
	a.grant()
	for _, s := range []*scene[configMap]{before, late} {
		s.sync()
		s.ready()
		s.converges()
		s.relists(map[string]int{"start": 1})
	}
}
