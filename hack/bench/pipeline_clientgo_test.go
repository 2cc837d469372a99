package bench

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgo "k8s.io/client-go/tools/cache"
)

// newInformer is the type of client-go's NewSharedIndexInformer.
type newInformer func(clientgo.ListerWatcher, runtime.Object, time.Duration, clientgo.Indexers) clientgo.SharedIndexInformer

// clientGoInformers returns a pipeline through whatever implements client-go's SharedIndexInformer.
func clientGoInformers(newInformer newInformer) pipeline {
	return func(_ testing.TB, from *source, handlers []*handler) (stop func()) {
		const noResync = 0
		informer := newInformer(clientGoSource{from}, &corev1.Pod{}, noResync, clientgo.Indexers{nodeIndex: indexByNode})
		for _, h := range handlers {
			_, err := informer.AddEventHandler(clientgo.ResourceEventHandlerFuncs{
				AddFunc:    func(obj any) { h.handle(obj.(*corev1.Pod)) },
				UpdateFunc: func(_, obj any) { h.handle(obj.(*corev1.Pod)) },
			})
			if err != nil {
				panic(err)
			}
		}
		return inBackground(informer.RunWithContext)
	}
}
