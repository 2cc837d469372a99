package controlplanetest

import (
	"context"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sluice-k8s/sluice/hack/controlplane"
)

// Own starts a control plane for this test alone, which may end and start its
// parts. It stops when the test ends, and the test fails if a part has died by
// itself. Options.Log defaults to the output of the test. It needs no Run.
func Own(tb testing.TB, o controlplane.Options) *controlplane.ControlPlane {
	tb.Helper()
	if o.Log == nil {
		o.Log = tb.Output()
	}
	plane, err := controlplane.Start(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := plane.Err(); err != nil {
			tb.Error(err)
		}
		if err := plane.Stop(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return plane
}

// Plane returns the control plane of this test binary, which it starts if need
// be, for a test that ends parts of it. Such a test must not run beside others
// and leaves all parts running. It is skipped if SLUICE_TEST_KUBECONFIG is set.
func Plane(tb testing.TB) *controlplane.ControlPlane {
	tb.Helper()
	if _, err := shared.kubeconfig(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	plane := shared.started()
	if plane == nil {
		tb.Skipf("%s is set; this test ends parts of a control plane of ours", KubeconfigEnv)
	}
	return plane
}

// OwnConfig is Config for a control plane from Own.
func OwnConfig(tb testing.TB, plane *controlplane.ControlPlane) *rest.Config {
	tb.Helper()
	return readConfig(tb, plane.Kubeconfig())
}

// readConfig reads a kubeconfig for a client that does not limit its own rate.
func readConfig(tb testing.TB, kubeconfig string) *rest.Config {
	tb.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		tb.Fatal(err)
	}
	config.QPS = -1
	return config
}
