package controlplane

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// One control plane whose parts end and come back.
func TestFaults(t *testing.T) {
	cp := start(t, Options{
		FeatureGates:  map[string]bool{"WatchList": false, "CBORServingAndStorage": true},
		APIServerArgs: []string{"--max-requests-inflight=399"},
	})
	config, client := clients(t, cp)
	t.Run("has its gates and arguments", testGates(cp, config, client))
	t.Run("kills and starts the API server", testKill(cp, client))
	t.Run("stops the API server in order", testOrderlyStop(cp, client))
	t.Run("compacts", testCompact(cp, client))
	t.Run("restores a backup", testRestore(cp, client))
	t.Run("makes tokens that end", testToken(cp, config, client))
	t.Run("refuses what makes no sense", testRefusals(cp))
	if err := cp.Err(); err != nil {
		t.Errorf("ends on purpose are reported as a crash: %v", err)
	}
	if err := cp.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := cp.StartPart(t.Context(), APIServer); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("start of a part after Stop: %v", err)
	}
}

func testGates(cp *ControlPlane, config *rest.Config, client kubernetes.Interface) func(*testing.T) {
	return func(t *testing.T) {
		sends := true
		opts := metav1.ListOptions{SendInitialEvents: &sends, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan}
		if _, err := client.CoreV1().Pods("").Watch(t.Context(), opts); !apierrors.IsInvalid(err) {
			t.Errorf("a watch with initial events: %v, want it invalid", err)
		}
		httpClient, err := rest.HTTPClientFor(config)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, config.Host+"/api/v1/pods", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "application/cbor")
		resp, err := httpClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "application/cbor" {
			t.Errorf("answer = %s, %s; want CBOR", resp.Status, got)
		}
		p, _ := cp.launcher.parts.find(APIServer)
		cmdline, err := os.ReadFile("/proc/" + pid(p) + "/cmdline")
		if err == nil && !strings.Contains(string(cmdline), "--max-requests-inflight=399") {
			t.Errorf("arguments = %q", cmdline)
		}
	}
}

// The watch ends, nothing is lost, and it is the same server as before.
func testKill(cp *ControlPlane, client kubernetes.Interface) func(*testing.T) {
	return func(t *testing.T) {
		kept := create(t, client, "kept")
		w, err := client.CoreV1().ConfigMaps("default").Watch(t.Context(), metav1.ListOptions{ResourceVersion: kept.ResourceVersion})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Stop()
		old, _ := cp.launcher.parts.find(APIServer)
		if err := cp.KillPart(t.Context(), APIServer); err != nil {
			t.Fatal(err)
		}
		if old.alive() || old.err == nil || !strings.Contains(old.err.Error(), "killed") {
			t.Errorf("the API server ended with %v", old.err)
		}
		for range w.ResultChan() { // until it is closed
		}
		if parts := status(t, cp.Dir()); parts[1].Err == nil || parts[0].Err != nil {
			t.Errorf("status = %+v, want the API server dead and etcd alive", parts)
		}
		if err := cp.StartPart(t.Context(), APIServer); err != nil {
			t.Fatal(err)
		}
		got, err := client.CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{})
		if err != nil || got.UID != kept.UID {
			t.Errorf("after the start: %v, %v", got, err)
		}
		if parts := status(t, cp.Dir()); parts[1].Err != nil || parts[1].PID == old.PID {
			t.Errorf("status = %+v, want a new API server", parts[1])
		}
	}
}

// Open watches do not hold it up, which would end in SIGKILL.
func testOrderlyStop(cp *ControlPlane, client kubernetes.Interface) func(*testing.T) {
	return func(t *testing.T) {
		w, err := client.CoreV1().ConfigMaps("default").Watch(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Stop()
		old, _ := cp.launcher.parts.find(APIServer)
		for range 2 { // the second does nothing
			if err := cp.StopPart(t.Context(), APIServer); err != nil {
				t.Fatal(err)
			}
		}
		if old.err != nil {
			t.Errorf("the API server ended with %v, want it in order", old.err)
		}
		for event := range w.ResultChan() {
			if event.Type == watch.Error {
				t.Errorf("the watch ended with %v", event.Object)
			}
		}
		if err := cp.StartPart(t.Context(), APIServer); err != nil {
			t.Fatal(err)
		}
	}
}

func testCompact(cp *ControlPlane, client kubernetes.Interface) func(*testing.T) {
	return func(t *testing.T) {
		old := create(t, client, "old").ResourceVersion
		create(t, client, "new")
		configMaps := client.CoreV1().ConfigMaps("default")
		exact := metav1.ListOptions{ResourceVersion: old, ResourceVersionMatch: metav1.ResourceVersionMatchExact}
		if _, err := configMaps.List(t.Context(), exact); err != nil {
			t.Fatalf("before: %v", err)
		}
		if version, err := cp.Compact(t.Context()); err != nil || version == 0 {
			t.Fatalf("Compact = %d, %v", version, err)
		}
		if _, err := cp.Compact(t.Context()); err != nil && !strings.Contains(err.Error(), "compacted") {
			t.Errorf("a second Compact: %v", err)
		}
		if err := cp.KillPart(t.Context(), APIServer); err != nil { // and what it has in memory
			t.Fatal(err)
		}
		if err := cp.StartPart(t.Context(), APIServer); err != nil {
			t.Fatal(err)
		}
		if _, err := configMaps.List(t.Context(), exact); !apierrors.IsResourceExpired(err) {
			t.Errorf("a list of an old version: %v, want 410", err)
		}
		w, err := configMaps.Watch(t.Context(), metav1.ListOptions{ResourceVersion: old})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Stop()
		if event := <-w.ResultChan(); event.Type != watch.Error || !apierrors.IsResourceExpired(apierrors.FromObject(event.Object)) {
			t.Errorf("a watch from an old version begins with %+v, want 410", event)
		}
	}
}

func testRestore(cp *ControlPlane, client kubernetes.Interface) func(*testing.T) {
	return func(t *testing.T) {
		before := create(t, client, "before")
		backup, err := cp.Backup(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		after := create(t, client, "after")
		for range 100 { // so many that what the parts write at their start does not make up for them
			if err := client.CoreV1().ConfigMaps("default").Delete(t.Context(), "after", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			after = create(t, client, "after")
		}
		if err := cp.StopPart(t.Context(), ControllerManager); err != nil {
			t.Fatal(err)
		}
		if err := cp.Restore(t.Context(), backup); err != nil {
			t.Fatal(err)
		}
		if err := cp.StartPart(t.Context(), ControllerManager); err != nil {
			t.Errorf("a part that was stopped before: %v, want that it still is", err)
		}
		list, err := client.CoreV1().ConfigMaps("default").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		uids := map[string]bool{}
		for _, object := range list.Items {
			uids[string(object.UID)] = true
		}
		if !uids[string(before.UID)] || uids[string(after.UID)] {
			t.Errorf("after the restore there are %v", uids)
		}
		if version(t, list.ResourceVersion) >= version(t, after.ResourceVersion) {
			t.Errorf("version = %s, want less than %s", list.ResourceVersion, after.ResourceVersion)
		}
		if err := cp.Restore(t.Context(), Backup{}); err == nil {
			t.Error("an empty backup was restored")
		}
	}
}

// A token with a minute's leeway is good; the same account's token that has
// ended is not, whatever the API server remembers of others.
func testToken(cp *ControlPlane, config *rest.Config, client kubernetes.Interface) func(*testing.T) {
	return func(t *testing.T) {
		grant(t, client, "view", "default")
		for _, test := range []struct {
			lifetime int // seconds
			want     func(error) bool
		}{
			{60, func(err error) bool { return err == nil }},
			{3600, func(err error) bool { return err == nil }},
			{-1, apierrors.IsUnauthorized},
		} {
			token, err := cp.Token(t.Context(), "default", "default", seconds(test.lifetime))
			if err != nil {
				t.Fatal(err)
			}
			account := rest.AnonymousClientConfig(config)
			account.BearerToken = token
			if _, err := kubernetes.NewForConfigOrDie(account).CoreV1().ConfigMaps("default").List(t.Context(), metav1.ListOptions{}); !test.want(err) {
				t.Errorf("a token of %d s: %v", test.lifetime, err)
			}
		}
		if _, err := cp.Token(t.Context(), "default", "nobody", seconds(60)); err == nil || !strings.Contains(err.Error(), `"default/nobody"`) {
			t.Errorf("a token of nobody: %v", err)
		}
	}
}

func testRefusals(cp *ControlPlane) func(*testing.T) {
	return func(t *testing.T) {
		if err := cp.StartPart(t.Context(), APIServer); err == nil || !strings.Contains(err.Error(), "runs already") {
			t.Errorf("a second start: %v", err)
		}
		for _, do := range []func(name Part) error{
			func(name Part) error { return cp.StartPart(t.Context(), name) },
			func(name Part) error { return cp.StopPart(t.Context(), name) },
			func(name Part) error { return cp.KillPart(t.Context(), name) },
		} {
			if err := do("kube-scheduler"); err == nil || !strings.Contains(err.Error(), `"kube-scheduler"`) {
				t.Errorf("an unknown part: %v", err)
			}
		}
	}
}

func create(t *testing.T, client kubernetes.Interface, name string) *corev1.ConfigMap {
	t.Helper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
	object, err := client.CoreV1().ConfigMaps("default").Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// grant gives the account in the namespace "default" a cluster role.
func grant(t *testing.T, client kubernetes.Interface, role, account string) {
	t.Helper()
	_, err := client.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: account},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: account}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

func pid(p *part) string { return strconv.Itoa(p.PID) }

func version(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
