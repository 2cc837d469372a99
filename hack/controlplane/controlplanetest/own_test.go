package controlplanetest_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/sluice-k8s/sluice/hack/controlplane"
	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
)

func TestOwnIsAnotherOneAndEndsWithItsTest(t *testing.T) {
	var plane *controlplane.ControlPlane
	t.Run("test", func(t *testing.T) {
		plane = controlplanetest.Own(t, controlplane.Options{})
		ours, shared := controlplanetest.OwnConfig(t, plane), controlplanetest.Config(t)
		if ours.Host == shared.Host {
			t.Errorf("both are at %s", ours.Host)
		}
		if err := plane.KillPart(t.Context(), controlplane.APIServer); err != nil {
			t.Fatal(err)
		}
		if _, err := client(t).CoreV1().Namespaces().Get(t.Context(), "default", metav1.GetOptions{}); err != nil {
			t.Errorf("the other one: %v", err)
		}
		if err := plane.StartPart(t.Context(), controlplane.APIServer); err != nil {
			t.Fatal(err)
		}
		if _, err := kubernetes.NewForConfigOrDie(ours).CoreV1().Namespaces().Get(t.Context(), "default", metav1.GetOptions{}); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-plane.Done():
	default:
		t.Error("it runs on")
	}
}
