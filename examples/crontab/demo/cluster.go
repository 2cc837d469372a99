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

	"github.com/sluice-k8s/sluice/hack/controlplane"
	"github.com/sluice-k8s/sluice/hack/controlplane/crd"
	"github.com/sluice-k8s/sluice/pkg/controller/client"
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
	kubeconfig := os.Getenv("KUBECONFIG")
	if kubeconfig == "" {
		var err error
		if c.own, err = controlplane.Start(ctx, controlplane.Options{Log: say}); err != nil {
			return nil, err
		}
		kubeconfig = c.own.Kubeconfig()
	}
	if err := c.connect(ctx, kubeconfig); err != nil {
		return nil, errors.Join(err, c.close())
	}
	say.line("cluster", "API server %s, CRD crontabs.stable.example.com installed", c.config.Host)
	return c, nil
}

func (c *cluster) connect(ctx context.Context, kubeconfig string) (err error) {
	options := client.Options{UserAgent: "sluice-demo"}
	if c.own != nil {
		options.Kubeconfig = kubeconfig // else KUBECONFIG may name several files
	}
	if c.config, err = client.Load(options); err != nil {
		return err
	}
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
	return c.own.Stop(ctx)
}
