package contest

import (
	"context"
	"fmt"
	"iter"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// A controller reads each object that is added, changed or enqueued from its cache, and calls a function with it.
type controller struct {
	run     func(context.Context) error // until the context is done
	enqueue func(iter.Seq[types.NamespacedName])
}

// A reconciler is what a controller calls. It may be called concurrently.
type reconciler func(metav1.Object)

// errAbsent is what a reconcile returns that does not find its object; none is ever deleted.
func errAbsent(key types.NamespacedName) error { return fmt.Errorf("%s is not in the cache", key) }

func podController(implementation string, config *rest.Config, workers int, reconcile reconciler) (controller, error) {
	switch implementation {
	case Sluice:
		return sluicePodController(config, workers, reconcile)
	case ClientGo:
		return clientGoPodController(config, workers, reconcile)
	case ControllerRuntime:
		return runtimeController(config, &corev1.Pod{}, metav1.NamespaceAll, workers, reconcile)
	default:
		return controller{}, fmt.Errorf("no controller of %q", implementation)
	}
}

// configMapController works in one namespace.
func configMapController(implementation string, config *rest.Config, namespace string, reconcile reconciler) (controller, error) {
	switch implementation {
	case Sluice:
		return sluiceConfigMapController(config, namespace, reconcile)
	case ClientGo:
		return clientGoConfigMapController(config, namespace, reconcile)
	case ControllerRuntime:
		return runtimeController(config, &corev1.ConfigMap{}, namespace, 1, reconcile)
	default:
		return controller{}, fmt.Errorf("no controller of %q", implementation)
	}
}
