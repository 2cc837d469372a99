package write_test

import (
	"context"
	"os"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/cache"
	"github.com/sluice-k8s/sluice/pkg/controller/write"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
)

func TestMain(m *testing.M) { os.Exit(controlplanetest.RunCheckingLeaks(m)) }

const manifest = "../../generated/crds/stable.example.com_crontabs.yaml"

// A plane is the clients of the control plane, and a namespace of the test.
type plane struct {
	kubernetes.Interface

	crontabs  versioned.Interface
	dynamic   dynamic.Interface
	namespace string
}

func newPlane(t *testing.T) plane {
	t.Helper()
	config := controlplanetest.Config(t)
	httpClient := controlplanetest.HTTPClient(t, config)
	clients, err := kubernetes.NewForConfigAndClient(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	crontabs, err := versioned.NewForConfigAndClient(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	dyn, err := dynamic.NewForConfigAndClient(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	return plane{clients, crontabs, dyn, controlplanetest.Namespace(t)}
}

// run runs an informer for the time of the test, and waits for its sync.
func run[T cache.Object](t *testing.T, source cache.ListerWatcher[T]) *cache.Indexer[T] {
	t.Helper()
	informer := cache.NewInformer(source, cache.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = informer.Run(ctx) })
	t.Cleanup(func() { cancel(); group.Wait() })
	timed, stop := context.WithTimeout(t.Context(), controlplanetest.Patience)
	defer stop()
	if err := informer.WaitForSync(timed); err != nil {
		t.Fatal(err)
	}
	return informer.Indexer()
}

// see waits until the view has what was written.
func see[T cache.Object](t *testing.T, view *cache.Indexer[T], written T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), controlplanetest.Patience)
	defer cancel()
	if err := view.WaitForObject(ctx, written); err != nil {
		t.Fatal(err)
	}
}

func (p plane) configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name}, Data: data}
}

func (p plane) deployment(name string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(0)),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "image:1"}}},
			},
		},
	}
}

func (p plane) crontab(name string) *v1.CronTab {
	return &v1.CronTab{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name},
		Spec:       v1.CronTabSpec{Schedule: "@hourly", Image: "backup:1"},
	}
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// want fails unless a write had the effect.
func want[T any](t *testing.T, effect write.Effect) func(T, write.Effect, error) T {
	t.Helper()
	return func(value T, got write.Effect, err error) T {
		t.Helper()
		if err != nil || got != effect {
			t.Fatalf("got %v, %v; want %v", got, err, effect)
		}
		return value
	}
}
