package controlplane

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// One control plane with everything on: it is a real one, it tells how it is,
// and nothing of it is left after the stop.
func TestControlPlane(t *testing.T) {
	audit := filepath.Join(t.TempDir(), "audit.log")
	cp := start(t, Options{
		AuditLog:     audit,
		FeatureGates: map[string]bool{"ShardedListAndWatch": true},
	})
	config, client := clients(t, cp)

	t.Run("reports the pinned version", func(t *testing.T) {
		version, err := client.Discovery().ServerVersion()
		if err != nil {
			t.Fatal(err)
		}
		if version.GitVersion != "v1.36.3" || version.Major != "1" || version.Minor != "36" || version.GitTreeState != "clean" {
			t.Errorf("version = %+v", version)
		}
	})
	t.Run("gives service accounts tokens but no rights", testServiceAccount(config, client))
	t.Run("runs the built-in controllers", testJob(client))
	t.Run("deletes namespaces", testNamespaceDeletion(client))
	t.Run("has its feature gates", func(t *testing.T) {
		metrics, err := client.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(metrics, []byte(`kubernetes_feature_enabled{name="ShardedListAndWatch",stage="ALPHA"} 1`)) {
			t.Error("the gate is off")
		}
	})
	t.Run("writes an audit log", func(t *testing.T) {
		if cp.AuditLog() != audit {
			t.Errorf("it is in %q, want %q", cp.AuditLog(), audit)
		}
		log, err := os.ReadFile(audit)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(log, []byte(`"requestURI":"/version`)) || bytes.Contains(log, []byte(`"requestObject"`)) {
			t.Errorf("the audit log lacks a request or has a body; it starts with %.1000s", log)
		}
	})
	t.Run("tells that it is healthy", func(t *testing.T) {
		parts := status(t, cp.Dir())
		if len(parts) != 3 {
			t.Fatalf("parts = %+v, want three", parts)
		}
		for _, p := range parts {
			if p.Err != nil {
				t.Errorf("%s: %v", p.Name, p.Err)
			}
		}
	})
	t.Run("tells which part has died", testDeath(cp))
	t.Run("leaves nothing", func(t *testing.T) {
		parts := cp.launcher.parts.list
		if err := cp.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		for _, p := range parts {
			if p.alive() {
				t.Errorf("%s lives", p.name)
			}
		}
		if exists(cp.Dir()) {
			t.Errorf("%s is there", cp.Dir())
		}
	})
}

func testServiceAccount(admin *rest.Config, client kubernetes.Interface) func(*testing.T) {
	return func(t *testing.T) {
		request := &authenticationv1.TokenRequest{}
		token, err := client.CoreV1().ServiceAccounts("default").CreateToken(t.Context(), "default", request, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		config := rest.AnonymousClientConfig(admin)
		config.BearerToken = token.Status.Token
		account, err := kubernetes.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		review, err := account.AuthenticationV1().SelfSubjectReviews().Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := review.Status.UserInfo.Username; got != "system:serviceaccount:default:default" {
			t.Errorf("user = %q", got)
		}
		if _, err := account.CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
			t.Errorf("list secrets: %v, want it forbidden", err)
		}
	}
}

func testJob(client kubernetes.Interface) func(*testing.T) {
	return func(t *testing.T) {
		_, err := client.BatchV1().Jobs("default").Create(t.Context(), &batchv1.Job{
			ObjectMeta: metav1.ObjectMeta{Name: "job"},
			Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever,
				Containers:    []corev1.Container{{Name: "main", Image: "example.com/image"}},
			}}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		w, err := client.CoreV1().Pods("default").Watch(t.Context(), metav1.ListOptions{LabelSelector: batchv1.JobNameLabel + "=job"})
		await(t, w, err, watch.Added)
	}
}

func testNamespaceDeletion(client kubernetes.Interface) func(*testing.T) {
	return func(t *testing.T) {
		ns, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "doomed"}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.CoreV1().Namespaces().Delete(t.Context(), ns.Name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		w, err := client.CoreV1().Namespaces().Watch(t.Context(), metav1.ListOptions{
			FieldSelector: "metadata.name=" + ns.Name, ResourceVersion: ns.ResourceVersion,
		})
		await(t, w, err, watch.Deleted)
	}
}

func testDeath(cp *ControlPlane) func(*testing.T) {
	return func(t *testing.T) {
		victim := cp.launcher.parts.list[2]
		if err := victim.signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-cp.Done()
		if err := cp.Err(); err == nil || !strings.Contains(err.Error(), controllerManager) || !strings.Contains(err.Error(), "killed") {
			t.Errorf("error = %v", err)
		}
		for _, p := range status(t, cp.Dir()) {
			if died := p.Name == controllerManager; died != (p.Err != nil) || len(p.LogEnd()) == 0 {
				t.Errorf("%s: %v, log %q", p.Name, p.Err, p.LogEnd())
			}
		}
	}
}

func TestFailedStartReportsTheCrashAndLeavesNothing(t *testing.T) {
	h := home{dir: t.TempDir()}
	_, err := Start(t.Context(), Options{Dir: h.dir, AuditLog: t.TempDir(), Log: t.Output()}) // a directory is no log
	if err == nil || !strings.Contains(err.Error(), "kube-apiserver ended by itself") || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("error = %v, want the end of kube-apiserver's log", err)
	}
	if got, want := names(t, h.dir), "controlplane.lock etcd.log kube-apiserver.log"; got != want {
		t.Errorf("left %s, want %s", got, want)
	}
}

func TestUnknownFeatureGateIsNamed(t *testing.T) {
	_, err := Start(t.Context(), Options{FeatureGates: map[string]bool{"NoSuchGate": true}, Log: t.Output()})
	if err == nil || !strings.Contains(err.Error(), "unrecognized feature gate: NoSuchGate") {
		t.Errorf("error = %v", err)
	}
}

func TestInterruptedStartLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := home{dir: t.TempDir()}
	var started []partState
	interrupt := logFunc(func(line string) {
		if strings.Contains(line, "starting "+controllerManager) {
			s, _ := h.readState()
			started = s.Parts
			cancel()
		}
	})
	if _, err := Start(ctx, Options{Dir: h.dir, Log: interrupt}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want %v", err, context.Canceled)
	}
	if len(started) != 2 {
		t.Fatalf("started = %+v, want etcd and %s", started, apiserver)
	}
	for _, p := range started {
		if p.alive() {
			t.Errorf("%s lives", p.Name)
		}
	}
	if exists(h.stateFile()) || exists(h.pki("")) {
		t.Errorf("left %s", names(t, h.dir))
	}
}

// logFunc is called with each line of progress.
type logFunc func(line string)

func (f logFunc) Write(b []byte) (int, error) {
	f(string(b))
	return len(b), nil
}

func start(t *testing.T, o Options) *ControlPlane {
	t.Helper()
	o.Log = t.Output()
	cp, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return cp
}

func clients(t *testing.T, cp *ControlPlane) (*rest.Config, kubernetes.Interface) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", cp.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1 // no limit
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return config, client
}

func status(t *testing.T, dir string) []PartStatus {
	t.Helper()
	parts, err := Status(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// await waits for an event of the type.
func await(t *testing.T, w watch.Interface, err error, want watch.EventType) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	bound := time.After(time.Minute)
	for {
		select {
		case event, ok := <-w.ResultChan():
			if !ok {
				t.Fatalf("watch ended without %s", want)
			}
			if event.Type == want {
				return
			}
		case <-bound:
			t.Fatalf("no %s within a minute", want)
		}
	}
}
