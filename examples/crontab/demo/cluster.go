package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sluice-k8s/sluice/hack/controlplane"
	"github.com/sluice-k8s/sluice/hack/controlplane/crd"
	"github.com/sluice-k8s/sluice/pkg/generated/clientset/versioned"
)

// crdFile is relative to the root of the repository, where make runs the demo.
const crdFile = "pkg/generated/crds/stable.example.com_crontabs.yaml"

// A cluster is where the demo plays.
type cluster struct {
	config *rest.Config
	http   *http.Client
	kube   kubernetes.Interface
	stable versioned.Interface
	own    *controlplane.ControlPlane // nil in somebody else's cluster
}

// findCluster takes the cluster of KUBECONFIG, or starts one, and installs the CRD.
func findCluster(ctx context.Context, say *narrator) (*cluster, error) {
	c := &cluster{}
	if os.Getenv(clientcmd.RecommendedConfigPathEnvVar) == "" {
		var err error
		if c.own, err = controlplane.Start(ctx, controlplane.Options{Log: say.as("cluster")}); err != nil {
			return nil, err
		}
	}
	if err := c.connect(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	say.line("cluster", "API server %s, CRD crontabs.stable.example.com installed", c.config.Host)
	return c, nil
}

func (c *cluster) connect(ctx context.Context) (err error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules() // KUBECONFIG may name several files
	if c.own != nil {
		rules.ExplicitPath = c.own.Kubeconfig()
	}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil)
	if c.config, err = loader.ClientConfig(); err != nil {
		return fmt.Errorf("read the kubeconfig %q: %w", rules.Precedence, err)
	}
	c.config.UserAgent, c.config.QPS, c.config.Burst = "sluice-demo", 50, 100
	if c.http, err = rest.HTTPClientFor(c.config); err != nil {
		return err
	}
	if c.kube, err = kubernetes.NewForConfigAndClient(c.config, c.http); err != nil {
		return err
	}
	if c.stable, err = versioned.NewForConfigAndClient(c.config, c.http); err != nil {
		return err
	}
	manifest, err := os.ReadFile(crdFile)
	if err != nil {
		return fmt.Errorf("run the demo in the root of the repository, as \"make demo\" does: %w", err)
	}
	return crd.Install(ctx, c.config, manifest)
}

// crashed is closed when a part of the demo's own control plane has crashed.
func (c *cluster) crashed() <-chan struct{} {
	if c.own == nil {
		return nil
	}
	return c.own.Done()
}

// close ends what findCluster began.
func (c *cluster) close() error {
	if c.http != nil {
		utilnet.CloseIdleConnectionsFor(c.http.Transport)
	}
	if c.own == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	crash := c.own.Err()
	return errors.Join(crash, c.own.Stop(ctx))
}
