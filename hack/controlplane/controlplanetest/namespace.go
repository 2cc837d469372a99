package controlplanetest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/sluice-k8s/sluice/hack/controlplane/crd"
)

// timeout bounds what a helper asks of the cluster.
const timeout = time.Minute

// Namespace makes a namespace of its own for a test and returns its name,
// which starts like the name of the test. Pods can be created in it: it has
// its default service account. It is deleted when the test ends; nobody waits
// for that.
func Namespace(tb testing.TB) string {
	tb.Helper()
	client, err := kubernetes.NewForConfig(Config(tb))
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), timeout)
	defer cancel()
	ns, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: namePrefix(tb.Name())},
	}, metav1.CreateOptions{})
	if err != nil {
		tb.Fatalf("create a namespace: %v", err)
	}
	tb.Cleanup(func() { deleteNamespace(tb, client, ns.Name) })
	if err := awaitServiceAccount(ctx, client, ns.Name); err != nil {
		tb.Fatal(err)
	}
	return ns.Name
}

// InstallCRD applies the CustomResourceDefinitions in the file at path and
// returns when they are served. They stay when the test ends, because other
// tests may use them.
func InstallCRD(tb testing.TB, path string) {
	tb.Helper()
	manifest, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), timeout)
	defer cancel()
	if err := crd.Install(ctx, Config(tb), manifest); err != nil {
		tb.Fatal(err)
	}
}

// namePrefix turns the name of a test into the start of a DNS label. The API
// server appends five characters to it.
func namePrefix(test string) string {
	const limit = 63 - 5 - 1
	label := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, test)
	label = strings.Trim(label[:min(len(label), limit)], "-")
	if label == "" {
		label = "test"
	}
	return label + "-"
}

func deleteNamespace(tb testing.TB, client kubernetes.Interface, name string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	err := client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		tb.Errorf("delete namespace %q: %v", name, err)
	}
}

// awaitServiceAccount waits for the account that Pods get by default. A watch
// without a version starts with what exists.
func awaitServiceAccount(ctx context.Context, client kubernetes.Interface, namespace string) error {
	w, err := client.CoreV1().ServiceAccounts(namespace).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=default"})
	if err != nil {
		return err
	}
	defer w.Stop()
	select {
	case _, ok := <-w.ResultChan():
		if ok {
			return nil
		}
		return fmt.Errorf("wait for service account %q: watch ended", namespace+"/default")
	case <-ctx.Done():
		return fmt.Errorf("wait for service account %q: %w", namespace+"/default", ctx.Err())
	}
}
