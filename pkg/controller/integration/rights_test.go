package integration_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	stablev1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/queue"
)

// An account is a service account, whose rights come and go.
type account struct {
	world

	clients clients
	user    string
}

// A right is one of those that a keeper needs, and has a role of its own.
type right struct {
	name string
	rule rbacv1.PolicyRule
}

func readTabs() right {
	return right{"read-tabs", permit(stablev1.SchemeGroupVersion.Group, "crontabs", "get", "list", "watch")}
}

func readKept() right { return right{"read-kept", permit("", "configmaps", "get", "list", "watch")} }

func writeKept() right { return right{"write-kept", permit("", "configmaps", "create", "patch")} }

func permit(group, resource string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}
}

// newAccount returns one with all rights of a keeper.
func newAccount(w world) account {
	w.t.Helper()
	object := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "keeper"}}
	_, err := w.core.CoreV1().ServiceAccounts(w.namespace).Create(w.t.Context(), object, metav1.CreateOptions{})
	w.must(err)
	config := rest.AnonymousClientConfig(w.config)
	config.BearerToken, err = w.plane.Token(w.t.Context(), w.namespace, object.Name, time.Hour)
	w.must(err)
	config.QPS = -1
	a := account{w, newClients(w.t, config), "system:serviceaccount:" + w.namespace + ":" + object.Name}
	for _, right := range []right{readTabs(), readKept(), writeKept()} {
		role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: right.name}, Rules: []rbacv1.PolicyRule{right.rule}}
		_, err := w.core.RbacV1().Roles(w.namespace).Create(w.t.Context(), role, metav1.CreateOptions{})
		w.must(err)
		a.grant(right)
	}
	return a
}

func (a account) grant(right right) {
	a.t.Helper()
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: right.name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: right.name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: a.namespace, Name: "keeper"}},
	}
	_, err := a.core.RbacV1().RoleBindings(a.namespace).Create(a.t.Context(), binding, metav1.CreateOptions{})
	a.must(err)
}

func (a account) revoke(right right) {
	a.t.Helper()
	a.must(a.core.RbacV1().RoleBindings(a.namespace).Delete(a.t.Context(), right.name, metav1.DeleteOptions{}))
}

// forbidden counts the requests for a resource that the account had no right to.
func (a account) forbidden(resource string) int {
	return len(a.audit(func(r record) bool {
		return r.User.Username == a.user && r.ObjectRef.Resource == resource && r.ResponseStatus.Code == http.StatusForbidden
	}))
}

// awaitForbidden returns when the API server knows that the account may not write, and how many requests have been refused by
// then: some may have been before it knew that it may.
func (a account) awaitForbidden() (refused int) {
	a.t.Helper()
	refused = a.forbidden("configmaps") + 1
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-"}}
	controlplanetest.Await(a.t, func(ctx context.Context) error {
		_, err := a.clients.core.CoreV1().ConfigMaps(a.namespace).Create(ctx, object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if !apierrors.IsForbidden(err) {
			return fmt.Errorf("a write is answered with %w, want that it is forbidden", err)
		}
		return nil
	})
	controlplanetest.AwaitTrue(a.t, "it is in the log", func() bool { return a.forbidden("configmaps") == refused })
	return refused
}

// atMost returns how many attempts there can have been in a time, if after each there is a wait that grows from minWait to
// maxWait: a slow machine only makes it fewer.
func atMost(passed time.Duration) (attempts int) {
	for wait := minWait; passed >= 0; wait = min(2*wait, maxWait) {
		passed -= wait
		attempts++
	}
	return attempts
}

// A controller that may no longer write goes on trying, each key with growing waits, and says why it fails.
func TestRightToWriteIsTakenAway(t *testing.T) {
	w := newWorld(t)
	a := newAccount(w)
	names := names(5)
	w.wish("image:1", names...)
	s := newKeeper(w.namespace, a.clients, a.clients, a.clients, cache.Config{}).play(t, controller.Config[key]{Workers: 2})
	w.converges("image:1", names...)

	a.revoke(writeKept())
	before := a.awaitForbidden()
	began := time.Now()
	w.change("image:2", names...)
	s.fail("is forbidden", len(names), 6)
	requests, bound := a.forbidden("configmaps")-before, len(names)*atMost(time.Since(began))
	t.Logf("%d requests were refused, at most %d are permitted", requests, bound)
	if got := s.controller.Status(); requests > bound || got.Parked > 0 || got.SlowedDown > 0 {
		t.Errorf("%d requests were refused, want at most %d, and no other measures: %+v", requests, bound, got)
	}
	a.grant(writeKept())
	w.converges("image:2", names...)
	s.settles()
	if requests, got := a.forbidden("configmaps")-before, s.controller.Status(); requests > got.Failures {
		t.Errorf("%d requests were refused, want one for each failure: %+v", requests, got)
	}
}

// fail waits until n keys have failed often in a row, for a reason that contains the words.
func (s *scene) fail(words string, n, often int) {
	s.t.Helper()
	controlplanetest.Await(s.t, func(context.Context) error {
		var failing []string
		for _, info := range s.controller.Queue().Inspect(-1).Delayed {
			if info.Wait == queue.WaitBackOff && info.Failures >= often && strings.Contains(info.Why(), words) {
				failing = append(failing, info.Why())
			}
		}
		if len(failing) != n {
			return fmt.Errorf("%d keys fail, want %d: %q; status %+v", len(failing), n, failing, s.controller.Status())
		}
		return nil
	})
}

// settles waits until the controller has nothing to do.
func (s *scene) settles() {
	s.t.Helper()
	controlplanetest.Await(s.t, func(context.Context) error {
		if got := s.controller.Status(); got.Ready+got.Delayed+got.Running+got.Settling+got.Parked > 0 {
			return fmt.Errorf("there is something to do: %+v", got)
		}
		return s.manager.Ready()
	})
}

// A controller that may no longer read what it is for is not ready and says why. It goes on with what it knows, and heals.
func TestRightToReadIsTakenAway(t *testing.T) {
	w := newWorld(t)
	a := newAccount(w)
	names := names(5)
	w.wish("image:1", names...)
	// The server ends watches soon, which is when it looks at rights.
	s := newKeeper(w.namespace, a.clients, a.clients, a.clients, cache.Config{WatchTimeout: time.Second}).play(t, controller.Config[key]{})
	w.converges("image:1", names...)

	before, began := a.forbidden("crontabs"), time.Now()
	a.revoke(readTabs())
	controlplanetest.Await(t, func(context.Context) error {
		if err := s.manager.Ready(); err == nil || !strings.Contains(err.Error(), "is forbidden") {
			return fmt.Errorf("ready: %w; want that it is forbidden", err)
		}
		return nil
	})
	w.change("image:2", names...)
	w.must(w.core.CoreV1().ConfigMaps(w.namespace).Delete(t.Context(), names[0], metav1.DeleteOptions{}))
	w.converges("image:1", names...)
	controlplanetest.AwaitTrue(t, "it asks again", func() bool { return a.forbidden("crontabs") > before+3 })
	requests, bound := a.forbidden("crontabs")-before, 2*atMost(time.Since(began)) // a list and a watch
	t.Logf("%d requests were refused, at most %d are permitted", requests, bound)
	if requests > bound {
		t.Errorf("%d requests were refused, want at most %d", requests, bound)
	}
	a.grant(readTabs())
	w.converges("image:2", names...)
	s.settles()
}
