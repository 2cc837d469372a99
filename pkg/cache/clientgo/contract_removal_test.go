package clientgo_test

import (
	"context"
	"testing"

	"k8s.io/client-go/tools/cache"
)

func TestContractRemovedHandlerIsToldNothing(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		early, earlyHandle := subscribe(t, informer)
		removed, removedHandle := subscribe(t, informer)
		stays, _ := subscribe(t, informer)
		wantOK(t, informer.RemoveEventHandler(earlyHandle)) // before the start
		go informer.RunWithContext(t.Context())
		removed.want(t, "add default/a@1 initial")
		stays.want(t, "add default/a@1 initial")

		wantOK(t, informer.RemoveEventHandler(removedHandle))
		source.update(newPod("a"))
		stays.want(t, "update default/a@1 to default/a@2")
		removed.want(t)
		early.want(t)
	})
}

func TestContractRemovalIsIdempotent(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource(newPod("a")))
		_, early := subscribe(t, informer)
		_, late := subscribe(t, informer)
		running, stop := context.WithCancel(t.Context())
		for range 2 {
			wantOK(t, informer.RemoveEventHandler(early))
			wantOK(t, cache.ShutDownEventHandler(informer, early))
		}
		go informer.RunWithContext(running)
		settle()
		for range 2 {
			wantOK(t, cache.ShutDownEventHandler(informer, late))
			wantOK(t, informer.RemoveEventHandler(late))
		}
		_, kept := subscribe(t, informer)
		stop()
		settle()
		for _, handle := range []cache.ResourceEventHandlerRegistration{early, late, kept} {
			wantOK(t, informer.RemoveEventHandler(handle))
			wantOK(t, cache.ShutDownEventHandler(informer, handle))
		}
	})
}

func TestContractRemovalByAForeignHandle(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		handler, handle := subscribe(t, informer)
		other := newPodInformer(t.implementation, newSource())
		wantOK(t, other.RemoveEventHandler(handle))
		go informer.RunWithContext(t.Context())
		go other.RunWithContext(t.Context())
		handler.want(t, "add default/a@1 initial")
		wantOK(t, other.RemoveEventHandler(handle))
		source.update(newPod("a"))
		handler.want(t, "update default/a@1 to default/a@2")

		if informer.RemoveEventHandler(nil) == nil || informer.RemoveEventHandler(stranger{}) == nil {
			t.Error("a handle that is nobody's was removed")
		}
	})
}

// A handler that was added twice is two handlers.
func TestContractHandlerAddedTwice(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		handler, first := subscribe(t, informer)
		_, err := informer.AddEventHandler(handler)
		wantOK(t, err)
		go informer.RunWithContext(t.Context())
		handler.want(t, "add default/a@1 initial", "add default/a@1 initial")
		wantOK(t, informer.RemoveEventHandler(first))
		source.update(newPod("a"))
		handler.want(t, "update default/a@1 to default/a@2")
	})
}

// RemoveEventHandler does not wait, ShutDownEventHandler does.
func TestContractRemovalWhileAHandlerWorks(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource(newPod("a")))
		entered, release := make(chan struct{}), make(chan struct{})
		handle, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(any) { close(entered); <-release }})
		wantOK(t, err)
		go informer.RunWithContext(t.Context())
		<-entered
		wantOK(t, informer.RemoveEventHandler(handle))
		down := make(chan error, 1)
		go func() { down <- cache.ShutDownEventHandler(informer, handle) }()
		settle()
		if len(down) > 0 {
			t.Error("ShutDownEventHandler returned while the handler was at work")
		}
		close(release)
		wantOK(t, <-down)
	})
}

func TestContractShutDownLetsNothingThrough(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		handler, handle := subscribe(t, informer)
		go informer.RunWithContext(t.Context())
		settle()
		wantOK(t, cache.ShutDownEventHandler(informer, handle))
		handler.want(t, "add default/a@1 initial")
		source.update(newPod("a"))
		handler.want(t)
	})
}

// A handler may add and remove handlers, itself included.
func TestContractHandlerRemovesItself(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		handler, child := &recorder{}, &recorder{}
		var handle cache.ResourceEventHandlerRegistration
		handle, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: func(obj any) {
				handler.OnAdd(obj, false)
				_, err := informer.AddEventHandler(child)
				wantOK(t, err)
				wantOK(t, informer.RemoveEventHandler(handle))
			},
			UpdateFunc: handler.OnUpdate,
		})
		wantOK(t, err)
		go informer.RunWithContext(t.Context())
		handler.want(t, "add default/a@1")
		child.want(t, "add default/a@1 initial")
		source.update(newPod("a"))
		handler.want(t)
		child.want(t, "update default/a@1 to default/a@2")
	})
}

// A stranger is a handle that no informer returned.
type stranger struct{}

func (stranger) HasSynced() bool                     { return true }
func (stranger) HasSyncedChecker() cache.DoneChecker { return nil }
