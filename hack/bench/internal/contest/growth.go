package contest

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
	"github.com/sluice-k8s/sluice/hack/bench/internal/usage"
	sluice "github.com/sluice-k8s/sluice/pkg/cache"
)

// growth is throughput without an API server, so that there may be many objects. The heap of each is with the object, of which
// nobody else holds a part.
func (t Task) growth(ctx context.Context) (int, []Figure, error) {
	counter := newCounter(t.Objects)
	c, err := t.localController(counter.reconcile)
	if err != nil {
		return 0, nil, err
	}
	before := usage.LiveHeap()
	operations, taken, heap, err := t.reconcileAll(ctx, c, counter)
	figures := perOp(taken, operations)
	return operations, append(figures, Figure{float64(heap-before) / float64(t.Objects), "heap-B/object"}), err
}

func (t Task) localController(reconcile reconciler) (controller, error) {
	const workers = 1
	source := local(t.Objects)
	switch t.Implementation {
	case Sluice:
		return sluiceController(sluiceLocal{source}, workers, reconcile)
	case ClientGo:
		pods := cache.NewSharedIndexInformer(clientGoLocal{source}, &corev1.Pod{}, noResync, cache.Indexers{
			cache.NamespaceIndex: cache.MetaNamespaceIndexFunc,
		})
		return clientGoController(pods, podGetter(listers.NewPodLister(pods.GetIndexer())), workers, reconcile)
	default:
		return controller{}, fmt.Errorf("no controller of %q", t.Implementation)
	}
}

// Local is a server of a number of pods that never change.
type local int

func (l local) version() string { return strconv.Itoa(int(l)) }

func (l local) watch() watch.Interface { return watch.NewFake() }

type sluiceLocal struct{ local }

func (l sluiceLocal) List(context.Context, metav1.ListOptions) (sluice.Page[*corev1.Pod], error) {
	pods := make([]*corev1.Pod, l.local)
	for number := range pods {
		pods[number] = fleet.SmallPod(number)
	}
	return sluice.Page[*corev1.Pod]{Items: pods, ResourceVersion: l.version()}, nil
}

func (l sluiceLocal) Watch(context.Context, metav1.ListOptions) (watch.Interface, error) {
	return l.watch(), nil
}

type clientGoLocal struct{ local }

func (l clientGoLocal) List(metav1.ListOptions) (runtime.Object, error) {
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: l.version()}, Items: make([]corev1.Pod, l.local)}
	for number := range list.Items {
		list.Items[number] = *fleet.SmallPod(number)
	}
	return list, nil
}

func (l clientGoLocal) Watch(metav1.ListOptions) (watch.Interface, error) { return l.watch(), nil }

// IsWatchListSemanticsUnSupported has the reflector list, and then watch.
func (l clientGoLocal) IsWatchListSemanticsUnSupported() bool { return true }
