package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sluice-k8s/sluice/hack/bench/internal/contest"
	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
	"github.com/sluice-k8s/sluice/hack/controlplane"
	"github.com/sluice-k8s/sluice/hack/controlplane/crd"
)

// crdFile is where the definition of CronTabs is, from the directory of the module.
const crdFile = "../../pkg/generated/crds/stable.example.com_crontabs.yaml"

// A site is the cluster that is measured on.
type site struct {
	kubeconfig string // a path
	kubernetes string // the version
	config     *rest.Config
	cluster    *fleet.Cluster
	progress   io.Writer
	plane      *controlplane.ControlPlane // nil if it is somebody else's
}

// openSite connects to the cluster that KUBECONFIG names, or starts one.
func openSite(ctx context.Context, progress io.Writer) (*site, error) {
	s := &site{kubeconfig: os.Getenv(clientcmd.RecommendedConfigPathEnvVar), progress: progress}
	if s.kubeconfig == "" {
		plane, err := controlplane.Start(ctx, controlplane.Options{Log: progress})
		if err != nil {
			return nil, err
		}
		s.plane, s.kubeconfig = plane, plane.Kubeconfig()
	}
	if err := s.connect(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *site) connect() (err error) {
	if s.config, err = loadConfig(s.kubeconfig); err != nil {
		return err
	}
	client, err := discovery.NewDiscoveryClientForConfig(s.config)
	if err != nil {
		return err
	}
	version, err := client.ServerVersion()
	if err != nil {
		return fmt.Errorf("ask the API server for its version: %w", err)
	}
	s.kubernetes = version.GitVersion
	s.cluster, err = fleet.NewCluster(s.config, s.progress)
	return err
}

// close stops the control plane if it was started here.
func (s *site) close() {
	if s.plane == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := s.plane.Stop(ctx); err != nil {
		fmt.Fprintln(s.progress, "stopping the control plane:", err)
	}
}

// fill puts there what the tasks need, once.
func (s *site) fill(ctx context.Context, size contest.Size, tasks []contest.Task) error {
	needs := func(workloads ...string) bool {
		return slices.ContainsFunc(tasks, func(t contest.Task) bool { return slices.Contains(workloads, t.Workload) })
	}
	pods := needs(contest.SyncPods, contest.ControllerThroughput)
	cronTabs, configMaps := needs(contest.SyncCronTabs), needs(contest.ControllerLatency)
	if pods || cronTabs || configMaps {
		if err := s.cluster.Prepare(ctx); err != nil {
			return err
		}
	}
	if pods {
		if err := s.cluster.FillPods(ctx, size.Objects); err != nil {
			return err
		}
	}
	if cronTabs {
		if err := s.fillCronTabs(ctx, size.Objects); err != nil {
			return err
		}
	}
	if configMaps {
		return s.cluster.FillConfigMaps(ctx, contest.ConfigMaps)
	}
	return nil
}

func (s *site) fillCronTabs(ctx context.Context, n int) error {
	manifest, err := os.ReadFile(crdFile)
	if err != nil {
		return fmt.Errorf("run the command in the directory of its module, as \"make bench-cluster\" does: %w", err)
	}
	if err := crd.Install(ctx, s.config, manifest); err != nil {
		return err
	}
	return s.cluster.FillCronTabs(ctx, n)
}
