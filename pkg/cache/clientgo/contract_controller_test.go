package clientgo_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

// A pairing is one of the ways to make a store and the controller that fills it.
type pairing func(impl implementation, from *source, handler cache.ResourceEventHandler, resync time.Duration) (
	cache.Store, cache.Controller)

func pairings() map[string]pairing {
	pod := &corev1.Pod{}
	return map[string]pairing{
		"NewInformer": func(
			impl implementation, from *source, handler cache.ResourceEventHandler, resync time.Duration,
		) (cache.Store, cache.Controller) {
			return impl.newInformer(from, pod, resync, handler)
		},
		"NewIndexerInformer": func(
			impl implementation, from *source, handler cache.ResourceEventHandler, resync time.Duration,
		) (cache.Store, cache.Controller) {
			return impl.newIndexerInformer(from, pod, resync, handler, cache.Indexers{"node": byNode})
		},
		"NewInformerWithOptions": func(
			impl implementation, from *source, handler cache.ResourceEventHandler, resync time.Duration,
		) (cache.Store, cache.Controller) {
			return impl.newInformerWithOptions(cache.InformerOptions{
				ListerWatcher: from, ObjectType: pod, Handler: handler, ResyncPeriod: resync,
			})
		},
	}
}

// ForEachPairing runs a scenario against every implementation and constructor.
func forEachPairing(t *testing.T, scenario func(t *scene, pair pairing)) {
	t.Helper()
	for name, pair := range pairings() {
		t.Run(name, func(t *testing.T) {
			forEachLive(t, func(t *scene) { scenario(t, pair) })
		})
	}
}

func TestContractController(t *testing.T) {
	forEachPairing(t, func(t *scene, pair pairing) {
		source, handler := newSource(newPod("a")), &recorder{}
		store, controller := pair(t.implementation, source, handler, 0)
		if controller.HasSynced() || cache.IsDone(controller.HasSyncedChecker()) ||
			controller.LastSyncResourceVersion() != "" || len(store.List()) > 0 {
			t.Error("a controller that never ran is synced")
		}
		running, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { controller.RunWithContext(running); close(done) }()
		handler.want(t, "add default/a@1 initial")
		if !controller.HasSynced() || !cache.IsDone(controller.HasSyncedChecker()) ||
			controller.HasSyncedChecker().Name() == "" || controller.LastSyncResourceVersion() != "1" {
			t.Error("a controller that lists is not synced")
		}

		source.create(newPod("b"))
		source.update(newPod("a"))
		handler.wantUnordered(t, "add default/b@2", "update default/a@1 to default/a@3")
		source.delete(newPod("b"))
		handler.want(t, "delete default/b@4")
		wantStrings(t, store.ListKeys(), "default/a")
		wantVersion(t, store, "4")
		stop()
		<-done
		wantStrings(t, store.ListKeys(), "default/a")
	})
}

func TestContractControllerRelists(t *testing.T) {
	forEachPairing(t, func(t *scene, pair pairing) {
		source, handler := newSource(newPod("same"), newPod("lost")), &recorder{}
		_, controller := pair(t.implementation, source, handler, 0)
		go controller.Run(t.Context().Done())
		handler.wantUnordered(t, "add default/same@1 initial", "add default/lost@2 initial")
		source.miss(func() { source.delete(newPod("lost")) })
		source.expire()
		pause()
		handler.wantUnordered(t, "update default/same@1 to default/same@1", "lost default/lost last default/lost@2")
	})
}

// The resync period has no minimum here.
func TestContractControllerResyncs(t *testing.T) {
	forEachPairing(t, func(t *scene, pair pairing) {
		handler := &recorder{}
		_, controller := pair(t.implementation, newSource(newPod("a")), handler, time.Second/2)
		go controller.RunWithContext(t.Context())
		handler.want(t, "add default/a@1 initial")
		pass(time.Second)
		handler.want(t, resynced, resynced)
	})
}

// The handler of a controller is called before it is synced: HasSynced is enough to wait for.
func TestContractControllerSyncsAfterItsHandler(t *testing.T) {
	forEachPairing(t, func(t *scene, pair pairing) {
		release := make(chan struct{})
		handler := cache.ResourceEventHandlerFuncs{AddFunc: func(any) { <-release }}
		_, controller := pair(t.implementation, newSource(newPod("a")), handler, 0)
		go controller.RunWithContext(t.Context())
		settle()
		if cache.IsDone(controller.HasSyncedChecker()) {
			t.Error("a controller is synced while its handler is at work on the first list")
		}
		close(release)
		settle()
		if !controller.HasSynced() {
			t.Error("the controller does not sync")
		}
	})
}

// What the handler of a controller is told of is in the store already.
func TestContractControllerTellsAfterTheStore(t *testing.T) {
	forEachPairing(t, func(t *scene, pair pairing) {
		var store cache.Store
		check := func(obj any, wantExists bool) {
			if _, exists, err := store.Get(obj); err != nil || exists != wantExists {
				t.Errorf("the store has %s: %t, %v", describe(obj), exists, err)
			}
		}
		source := newSource(newPod("a"), newPod("b"))
		store, controller := pair(t.implementation, source, cache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { check(obj, true) },
			UpdateFunc: func(_, obj any) { check(obj, true) },
			DeleteFunc: func(obj any) { check(obj, false) },
		}, 0)
		go controller.RunWithContext(t.Context())
		settle()
		source.update(newPod("a"))
		settle() // one by one here, both in one batch below
		source.delete(newPod("b"))
		settle()
		source.create(newPod("c"))
		source.update(newPod("a"))
		settle()
		source.update(newPod("a"))
		source.delete(newPod("c"))
		settle()
		source.miss(func() { source.delete(newPod("a")) })
		source.expire()
		pause()
		wantStrings(t, store.ListKeys())
	})
}

func TestContractIndexerOfAController(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a", onNode("n1")))
		indexer, controller := t.newIndexerInformer(source, &corev1.Pod{}, 0, &recorder{}, cache.Indexers{"node": byNode})
		go controller.RunWithContext(t.Context())
		settle()
		wantByIndex(t, indexer, "node", "n1", "default/a")
		wantOK(t, indexer.AddIndexers(cache.Indexers{"labels": byLabels}))
	})
}

func TestContractInformerOptions(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source, handler := newSource(newPod("a")), &recorder{}
		store, controller := t.newInformerWithOptions(cache.InformerOptions{
			ListerWatcher:   source,
			ObjectType:      &corev1.Pod{},
			Handler:         handler,
			Indexers:        cache.Indexers{"node": byNode},
			MinWatchTimeout: time.Hour,
			Transform: func(obj any) (any, error) {
				obj.(*corev1.Pod).Spec.NodeName = "transformed"
				return obj, nil
			},
		})
		go controller.RunWithContext(t.Context())
		handler.want(t, "add default/a@1 initial")
		wantByIndex(t, store.(cache.Indexer), "node", "transformed", "default/a")
		for _, request := range source.requests() {
			if request.verb == "watch" && *request.options.TimeoutSeconds < 3600 {
				t.Errorf("a watch ends after %d s, want an hour at least", *request.options.TimeoutSeconds)
			}
		}
	})
}

// Watches last five minutes at least, whatever is asked for.
func TestContractLeastWatchTimeout(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource()
		_, controller := t.newInformerWithOptions(cache.InformerOptions{
			ListerWatcher: source, ObjectType: &corev1.Pod{}, Handler: &recorder{}, MinWatchTimeout: time.Second,
		})
		go controller.RunWithContext(t.Context())
		settle()
		for _, request := range source.requests() {
			if request.verb == "watch" && *request.options.TimeoutSeconds < 300 {
				t.Errorf("a watch ends after %d s", *request.options.TimeoutSeconds)
			}
		}
	})
}

func TestContractControllerFilledByHand(t *testing.T) {
	forEachPairing(t, func(t *scene, pair pairing) {
		handler := &recorder{}
		store, controller := pair(t.implementation, newSource(newPod("a")), handler, 0)
		wantOK(t, store.Add(newPod("a", atVersion("0"))))
		wantOK(t, store.Add(newPod("gone", atVersion("0"))))
		go controller.RunWithContext(t.Context())
		handler.wantUnordered(t, "update default/a@0 to default/a@1", "lost default/gone last default/gone@0")
	})
}
