package integration_test

import (
	"context"
	"testing"

	"github.com/sluice-k8s/sluice/pkg/controller"
	"github.com/sluice-k8s/sluice/pkg/controller/manager"
)

// One controller works for two clusters, for which two namespaces stand here. What has the same name in both is not the same.
func TestTwoClusters(t *testing.T) {
	east := newWorld(t)
	west := east
	west.namespace = east.newNamespace()
	keepers := map[string]*keeper{"east": east.newKeeper(), "west": west.newKeeper()}
	config := controller.Config[controller.ClusterKey]{
		Name:    "keeper",
		Workers: 2,
		Reconcile: func(ctx context.Context, key controller.ClusterKey) controller.Result {
			return keepers[key.Cluster].keep(ctx, key.NamespacedName)
		},
	}
	var informers []controller.Runner
	for cluster, k := range keepers {
		informers = append(informers, k.tabs, k.kept)
		for _, source := range k.sources() {
			config.Sources = append(config.Sources, controller.InCluster(cluster, source))
		}
	}
	c, err := controller.New(config)
	if err != nil {
		t.Fatal(err)
	}
	run(t, manager.Config{Name: "clusters", Informers: informers, Controllers: []controller.Runner{c}})

	names := names(10)
	east.wish("image:east", names...)
	west.wish("image:west", names[:5]...)
	east.converges("image:east", names...)
	west.converges("image:west", names[:5]...)
	west.change("image:2", names[:5]...)
	west.converges("image:2", names[:5]...)
	east.converges("image:east", names...)
}
