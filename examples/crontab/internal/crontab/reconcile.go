package crontab

import (
	"context"

	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/sluice-k8s/sluice/pkg/apis/stable/v1"
	"github.com/sluice-k8s/sluice/pkg/controller"
)

var cronTabKind = v1.SchemeGroupVersion.WithKind("CronTab")

const cronTabLabel = "stable.example.com/crontab"

func (c *Controller) reconcile(_ context.Context, key types.NamespacedName) controller.Result {
	if _, ok := c.crontabs.Indexer().Get(key); !ok {
		return controller.Done()
	}
	return controller.Done()
}
