package controlplanetest_test

import (
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
)

func TestNamespacePerTest(t *testing.T) {
	one, other := controlplanetest.Namespace(t), controlplanetest.Namespace(t)
	if one == other || !strings.HasPrefix(one, "testnamespacepertest-") {
		t.Errorf("namespaces %q and %q, want different ones named after the test", one, other)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "pod"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.com/image"}}},
	}
	if _, err := client(t).CoreV1().Pods(one).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Errorf("a Pod cannot be created at once: %v", err)
	}
}

func TestNamespaceIsDeletedWithItsTest(t *testing.T) {
	var name string
	t.Run("test", func(t *testing.T) { name = controlplanetest.Namespace(t) })
	ns, err := client(t).CoreV1().Namespaces().Get(t.Context(), name, metav1.GetOptions{})
	if err == nil && ns.DeletionTimestamp == nil {
		t.Errorf("namespace %q stays", name)
	}
}

func TestInstallCRD(t *testing.T) {
	controlplanetest.InstallCRD(t, "testdata/crds.yaml")
	controlplanetest.InstallCRD(t, "testdata/crds.yaml") // another test may do so too
	dyn, err := dynamic.NewForConfig(controlplanetest.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, resource := range []string{"gizmos", "gadgets"} {
		gvr := schema.GroupVersionResource{Group: "controlplanetest.example.com", Version: "v1", Resource: resource}
		if _, err := dyn.Resource(gvr).List(t.Context(), metav1.ListOptions{}); err != nil {
			t.Errorf("%s are not served: %v", resource, err)
		}
	}
}

func TestOtherCluster(t *testing.T) {
	ours := controlplanetest.Kubeconfig(t)
	other := t.TempDir() + "/kubeconfig"
	content, err := os.ReadFile(ours)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, content, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(controlplanetest.KubeconfigEnv, other)
	if got := controlplanetest.Kubeconfig(t); got != other {
		t.Errorf("kubeconfig = %q, want %q", got, other)
	}
}

func client(t *testing.T) kubernetes.Interface {
	t.Helper()
	return controlplanetest.Clientset(t, controlplanetest.Config(t))
}
