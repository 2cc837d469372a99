package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
)

func TestMain(m *testing.M) { os.Exit(controlplanetest.Run(m)) }

func TestAPolicyIsMadeAndPutBack(t *testing.T) {
	clients, namespace := kubernetes.NewForConfigOrDie(controlplanetest.Config(t)), controlplanetest.Namespace(t)
	label := []byte(`{"metadata":{"labels":{"sluice.example.com/default-deny":"yes"}}}`)
	if _, err := clients.CoreV1().Namespaces().Patch(t.Context(), namespace, types.MergePatchType, label, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", controlplanetest.Kubeconfig(t))
	policies := clients.NetworkingV1().NetworkPolicies(namespace)
	changes, err := policies.Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer changes.Stop()

	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- run(ctx) }()

	expect(t, changes, watch.Added)
	open := []byte(`{"spec":{"ingress":[{}]}}`)
	if _, err := policies.Patch(t.Context(), name, types.MergePatchType, open, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	expect(t, changes, watch.Modified)
	expect(t, changes, watch.Modified)
	policy, err := policies.Get(t.Context(), name, metav1.GetOptions{})
	if err != nil || len(policy.Spec.Ingress) > 0 {
		t.Errorf("the policy that was opened is %+v, %v", policy.Spec, err)
	}
	if err := policies.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	expect(t, changes, watch.Deleted)
	expect(t, changes, watch.Added)
	stop()
	if err := <-stopped; err != nil {
		t.Errorf("run returned %v", err)
	}
}

func expect(t *testing.T, changes watch.Interface, want watch.EventType) {
	t.Helper()
	select {
	case event := <-changes.ResultChan():
		if event.Type != want {
			t.Fatalf("the policy was %s, want %s", event.Type, want)
		}
	case <-time.After(time.Minute):
		t.Fatalf("the policy was not %s", want)
	}
}

func TestTheReadmeShowsThisProgram(t *testing.T) {
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```go\n"+string(program)+"```") {
		t.Error("README.md does not hold examples/defaultdeny/main.go as it is: copy it there")
	}
}
