package bench

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// openFloor opens what no informer can do without: one goroutine takes each event from the stream, keeps the pod in a map
// and calls all handlers. A handler that is slow stops it, and it has neither an index nor a lock.
func openFloor(_ testing.TB, from *source, handlers []*handler) (stop func()) {
	objects := make(map[types.NamespacedName]*corev1.Pod)
	step := func(pod *corev1.Pod) {
		objects[keyOf(pod)] = pod
		for _, h := range handlers {
			h.handle(pod)
		}
	}
	return inBackground(func(ctx context.Context) {
		for _, pod := range from.list() {
			step(pod)
		}
		relay(ctx, from.watch(), step)
	})
}

func relay(ctx context.Context, stream watch.Interface, step func(*corev1.Pod)) {
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-stream.ResultChan():
			step(event.Object.(*corev1.Pod))
		}
	}
}
