package events_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/controller/events"
)

// record runs a recorder while f records, until all is written.
func record(t *testing.T, clients kubernetes.Interface, config events.Config, f func(*events.Recorder)) events.Status {
	t.Helper()
	config.Client, config.Controller = clients.EventsV1(), "example.com/"+strings.ToLower(t.Name())
	config.FlushTimeout = time.Minute // a slow machine writes all, too
	recorder, err := events.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- recorder.Run(ctx) }()
	f(recorder)
	stop()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	status := recorder.Status()
	if status.Buffered != 0 {
		t.Errorf("the status is %+v, want nothing to be buffered", status)
	}
	return status
}

// written waits until so many writes have been accepted.
func written(t *testing.T, recorder *events.Recorder, n int) {
	t.Helper()
	controlplanetest.Await(t, func(context.Context) error {
		if s := recorder.Status(); s.Created+s.Updated < n {
			return fmt.Errorf("%d writes are not there: %+v", n, s)
		}
		return nil
	})
}

// reported lists the Events of this test, by note.
func reported(t *testing.T, clients kubernetes.Interface, namespace string) []eventsv1.Event {
	t.Helper()
	list, err := clients.EventsV1().Events(namespace).List(t.Context(), metav1.ListOptions{
		FieldSelector: "reportingController=example.com/" + strings.ToLower(t.Name()),
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(list.Items, func(a, b eventsv1.Event) int { return cmp.Compare(a.Note, b.Note) })
	return list.Items
}

func configMap(t *testing.T, clients kubernetes.Interface, namespace, name string) *corev1.ConfigMap {
	t.Helper()
	obj := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
	obj, err := clients.CoreV1().ConfigMaps(namespace).Create(t.Context(), obj, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestServerAcceptsASeries(t *testing.T) {
	clients, namespace := controlplanetest.Clientset(t, controlplanetest.Config(t)), controlplanetest.Namespace(t)
	obj := configMap(t, clients, namespace, "settings")
	status := record(t, clients, events.Config{UpdateInterval: 10 * time.Millisecond}, func(recorder *events.Recorder) {
		for n := range 100 {
			recorder.Warning(obj, "Unreadable", "Read", "line 7 has no colon")
			if n == 0 {
				written(t, recorder, 1) // created without a series
			}
		}
		written(t, recorder, 2) // patched
	})
	got := reported(t, clients, namespace)
	if len(got) != 1 || got[0].Series == nil || got[0].Series.Count != 100 {
		t.Fatalf("the server has %+v, want one Event 100 times", got)
	}
	if regarding := got[0].Regarding; regarding.Kind != "ConfigMap" || regarding.UID != obj.UID {
		t.Errorf("the Event regards %+v, want %s", regarding, obj.UID)
	}
	if status.Sent != 100 || status.Created != 1 || len(status.Dropped) > 0 {
		t.Errorf("the status is %+v, want 100 sent in one Event", status)
	}
	t.Logf("%d requests for 100 events", status.Created+status.Updated)
}

func TestServerAcceptsWhatIsAtTheLimits(t *testing.T) {
	clients, namespace := controlplanetest.Clientset(t, controlplanetest.Config(t)), controlplanetest.Namespace(t)
	obj := configMap(t, clients, namespace, "settings")
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "system:" + namespace}} // nobody else's, in default
	status := record(t, clients, events.Config{Instance: strings.Repeat("i", 128)}, func(recorder *events.Recorder) {
		recorder.Normal(obj, strings.Repeat("r", 200), strings.Repeat("a", 200), "1 "+strings.Repeat("ü", 600))
		recorder.Record(events.Event{Regarding: obj, Related: role, Reason: "Bound", Note: "2"})
		recorder.Normal(obj, "Empty", "", "")
		recorder.Normal(role, "Seen", "Look", "3")
		for n := range 15 {
			recorder.Normal(obj, "Many", "Count", fmt.Sprint("4 ", n))
		}
	})
	if len(status.Dropped) > 0 || status.Created != 15 {
		t.Errorf("the status is %+v, want 15 Events", status)
	}
	inDefault := slices.DeleteFunc(reported(t, clients, "default"), func(e eventsv1.Event) bool { return e.Regarding.Name != role.Name })
	if len(inDefault) != 1 || inDefault[0].Regarding.Kind != "ClusterRole" {
		t.Errorf("in default there is %+v, want the Event of the ClusterRole", inDefault)
	}
	got := reported(t, clients, namespace)
	if len(got) != 14 || got[1].Series == nil || got[1].Series.Count != 5 {
		t.Errorf("the server has %d Events, want 14, and the combined one 5 times", len(got))
	}
}

func TestDeletedEventComesBack(t *testing.T) {
	clients, namespace := controlplanetest.Clientset(t, controlplanetest.Config(t)), controlplanetest.Namespace(t)
	obj := configMap(t, clients, namespace, "settings")
	record(t, clients, events.Config{}, func(recorder *events.Recorder) {
		recorder.Normal(obj, "Read", "Read", "once")
		written(t, recorder, 1)
		if err := clients.EventsV1().Events(namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
			t.Fatal(err)
		}
		recorder.Normal(obj, "Read", "Read", "once")
	})
	if got := reported(t, clients, namespace); len(got) != 1 || got[0].Series.Count != 2 {
		t.Errorf("the server has %+v, want one Event twice", got)
	}
}

func TestNamespaceThatTerminatesTakesNoEvent(t *testing.T) {
	clients, namespace := controlplanetest.Clientset(t, controlplanetest.Config(t)), controlplanetest.Namespace(t)
	obj := configMap(t, clients, namespace, "settings")
	obj.Finalizers = []string{"example.com/hold"}
	obj, err := clients.CoreV1().ConfigMaps(namespace).Update(t.Context(), obj, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := clients.CoreV1().Namespaces().Delete(t.Context(), namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	status := record(t, clients, events.Config{}, func(recorder *events.Recorder) {
		recorder.Normal(obj, "Read", "Read", "too late")
		gone := obj.DeepCopy()
		gone.Namespace = "no-such-namespace"
		recorder.Normal(gone, "Read", "Read", "nowhere")
	})
	if status.Dropped[events.Rejected] != 2 || status.Retries > 0 {
		t.Errorf("the status is %+v, want both to be refused and not tried again", status)
	}
	obj.Finalizers = nil
	if _, err := clients.CoreV1().ConfigMaps(namespace).Update(t.Context(), obj, metav1.UpdateOptions{}); err != nil {
		t.Error(err)
	}
}

// TestRights lets a recorder work with the rights that Config.Client names, and with none.
func TestRights(t *testing.T) {
	config := controlplanetest.Config(t)
	clients, namespace := controlplanetest.Clientset(t, config), controlplanetest.Namespace(t)
	obj := configMap(t, clients, namespace, "settings")
	config.Impersonate.UserName = "recorder"
	limited := controlplanetest.Clientset(t, config)
	repeat := func(recorder *events.Recorder) {
		recorder.Normal(obj, "Read", "Read", "once")
		controlplanetest.Await(t, func(context.Context) error {
			if s := recorder.Status(); s.Buffered > 0 {
				return errors.New("not written")
			}
			return nil
		})
		recorder.Normal(obj, "Read", "Read", "once")
	}
	if status := record(t, limited, events.Config{}, repeat); status.Dropped[events.Rejected] != 2 {
		t.Errorf("without rights the status is %+v, want two to be refused", status)
	}
	permit(t, clients, namespace, "recorder", rbacv1.PolicyRule{
		APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create", "patch"},
	})
	controlplanetest.Await(t, func(context.Context) error { // the authorizer learns of rights by a watch
		if status := record(t, limited, events.Config{}, repeat); status.Sent != 2 {
			return fmt.Errorf("the status is %+v, want two to be sent", status)
		}
		return nil
	})
}

func permit(t *testing.T, clients kubernetes.Interface, namespace, user string, rule rbacv1.PolicyRule) {
	t.Helper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: user}, Rules: []rbacv1.PolicyRule{rule}}
	if _, err := clients.RbacV1().Roles(namespace).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: user},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
	}
	if _, err := clients.RbacV1().RoleBindings(namespace).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
