package clientgo_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

const alreadyStarted = "informer has already started"

func TestContractInformerBeforeItRuns(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource(newPod("a")))
		if informer.HasSynced() || informer.IsStopped() || cache.IsDone(informer.HasSyncedChecker()) {
			t.Error("an informer that never ran is synced or stopped")
		}
		if version := informer.LastSyncResourceVersion(); version != "" {
			t.Errorf("an informer that never ran is at version %q", version)
		}
		wantStrings(t, informer.GetStore().ListKeys())
		wantVersion(t, informer.GetStore(), "")
	})
}

func TestContractInformerRuns(t *testing.T) {
	forEachFeed(t, func(t *scene) {
		source := t.newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		go informer.RunWithContext(t.Context())
		settle()
		if !informer.HasSynced() || informer.IsStopped() {
			t.Error("a running informer is not synced, or stopped")
		}
		wantVersions(t, informer, "1")
		source.create(newPod("b"))
		settle()
		wantVersions(t, informer, "2")
		source.bookmark("9")
		settle()
		wantVersions(t, informer, "9")
	})
}

func TestContractEmptyInformerSyncs(t *testing.T) {
	forEachFeed(t, func(t *scene) {
		informer := newPodInformer(t.implementation, t.newSource())
		_, handle := subscribe(t, informer)
		go informer.RunWithContext(t.Context())
		settle()
		if !informer.HasSynced() || !handle.HasSynced() {
			t.Error("an informer of nothing does not sync")
		}
		wantVersions(t, informer, "0")
	})
}

func TestContractInformerStops(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		handler, handle := subscribe(t, informer)
		stop, done := make(chan struct{}), make(chan struct{})
		go func() { informer.Run(stop); close(done) }()
		settle()
		close(stop)
		<-done
		if !informer.IsStopped() || !informer.HasSynced() || !handle.HasSynced() {
			t.Error("an informer that ran is not stopped, or not synced any more")
		}
		handler.want(t, "add default/a@1 initial")
		source.create(newPod("b"))
		handler.want(t)
		wantStrings(t, informer.GetStore().ListKeys(), "default/a") // which stays readable
		wantVersions(t, informer, "1")
	})
}

func TestContractStoppedInformerTakesNobody(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource())
		_, handle := subscribe(t, informer)
		stopped, stop := context.WithCancel(t.Context())
		stop()
		informer.RunWithContext(stopped)

		const notAdded = "handler nobody was not added to shared informer because it has stopped already"
		got, err := informer.AddEventHandler(named("nobody"))
		wantError(t, err, notAdded)
		if got != nil {
			t.Errorf("got the registration %v with the error", got)
		}
		_, err = informer.AddEventHandlerWithResyncPeriod(named("nobody"), 0)
		wantError(t, err, notAdded)
		_, err = informer.AddEventHandlerWithOptions(named("nobody"), cache.HandlerOptions{})
		wantError(t, err, notAdded)
		wantError(t, informer.AddIndexers(cache.Indexers{"x": byNode}),
			"indexer was not added because it has stopped already")
		wantOK(t, informer.RemoveEventHandler(handle))
	})
}

// While Run still waits for a handler the informer has stopped already, for all who ask.
func TestContractInformerStopsBeforeItsHandlers(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource(newPod("a")))
		release := make(chan struct{})
		defer close(release)
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(any) { <-release }})
		wantOK(t, err)
		running, stop := context.WithCancel(t.Context())
		go informer.RunWithContext(running)
		settle()
		if informer.IsStopped() {
			t.Error("an informer that runs is stopped")
		}
		stop()
		settle()
		if !informer.IsStopped() {
			t.Error("the informer has not stopped")
		}
		_, err = informer.AddEventHandler(named("nobody"))
		wantError(t, err, "handler nobody was not added to shared informer because it has stopped already")
		wantError(t, informer.AddIndexers(cache.Indexers{"x": byNode}),
			"indexer was not added because it has stopped already")
	})
}

func TestContractInformerRunsOnce(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		handler, _ := subscribe(t, informer)
		first, stop := context.WithCancel(t.Context())
		go informer.RunWithContext(first)
		settle()
		informer.RunWithContext(t.Context()) // returns at once
		handler.want(t, "add default/a@1 initial")
		source.create(newPod("b"))
		handler.want(t, "add default/b@2")
		if informer.IsStopped() {
			t.Error("a second run stopped the informer")
		}

		stop()
		settle()
		requests := len(source.requests())
		informer.RunWithContext(t.Context())
		if len(source.requests()) != requests || !informer.IsStopped() {
			t.Error("an informer that was stopped ran again")
		}
	})
}

// Run returns when the handlers do, so that whoever waits for it may take down what they use.
func TestContractRunWaitsForHandlers(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource(newPod("a")))
		entered, release := make(chan struct{}), make(chan struct{})
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(any) { close(entered); <-release }})
		wantOK(t, err)
		running, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { informer.RunWithContext(running); close(done) }()
		<-entered
		stop()
		settle()
		select {
		case <-done:
			t.Error("Run returned while a handler was at work")
		default:
		}
		close(release)
		<-done
	})
}

func TestContractInformerStopsBeforeItSyncs(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		source.failLists(errUnavailable(), errUnavailable(), errUnavailable(), errUnavailable(), errUnavailable())
		informer := newPodInformer(t.implementation, source)
		_, handle := subscribe(t, informer)
		running, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { informer.RunWithContext(running); close(done) }()
		settle()
		stop()
		<-done
		if informer.HasSynced() || handle.HasSynced() || cache.IsDone(informer.HasSyncedChecker()) ||
			cache.IsDone(handle.HasSyncedChecker()) || !informer.IsStopped() {
			t.Error("an informer that was stopped before its first list is synced, or not stopped")
		}
	})
}

func TestContractSettingsAreForBeforeTheStart(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource())
		set := func() []error {
			return []error{
				informer.SetTransform(func(obj any) (any, error) { return obj, nil }),
				informer.SetWatchErrorHandler(func(*cache.Reflector, error) {}),
				informer.SetWatchErrorHandlerWithContext(func(context.Context, *cache.Reflector, error) {}),
			}
		}
		for _, err := range set() {
			wantOK(t, err)
		}
		running, stop := context.WithCancel(t.Context())
		go informer.RunWithContext(running)
		settle()
		for _, err := range set() {
			wantError(t, err, alreadyStarted)
		}
		stop()
		settle()
		for _, err := range set() {
			wantError(t, err, alreadyStarted)
		}
	})
}

func TestContractAddIndexersToARunningInformer(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a", onNode("n1")))
		informer := t.newSharedIndexInformer(source, &corev1.Pod{}, 0, cache.Indexers{})
		wantOK(t, informer.AddIndexers(cache.Indexers{"node": byNode}))
		go informer.RunWithContext(t.Context())
		settle()
		wantOK(t, informer.AddIndexers(cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}))
		source.create(newPod("b", onNode("n1")))
		settle()
		wantByIndex(t, informer.GetIndexer(), "node", "n1", "default/a", "default/b")
		wantByIndex(t, informer.GetIndexer(), cache.NamespaceIndex, "default", "default/a", "default/b")
		wantError(t, informer.AddIndexers(cache.Indexers{"node": byNode}), "indexer conflict: map[node:{}]")
	})
}

// The controller of a shared informer tells how it is and runs nothing.
func TestContractControllerOfASharedInformer(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		controller := informer.GetController()
		controller.Run(t.Context().Done()) // returns at once
		controller.RunWithContext(t.Context())
		if len(source.requests()) != 0 || controller.HasSynced() || controller.LastSyncResourceVersion() != "" {
			t.Error("the controller of a shared informer runs it")
		}
		go informer.RunWithContext(t.Context())
		settle()
		if !controller.HasSynced() || !cache.IsDone(controller.HasSyncedChecker()) ||
			controller.LastSyncResourceVersion() != "1" {
			t.Error("the controller of a shared informer does not tell of it")
		}
	})
}

// A named handler prints as its name.
type named string

func (named) OnAdd(any, bool)   {}
func (named) OnUpdate(any, any) {}
func (named) OnDelete(any)      {}

func wantVersions(t tester, informer cache.SharedInformer, want string) {
	t.Helper()
	if got := informer.LastSyncResourceVersion(); got != want {
		t.Errorf("the informer is at version %q, want %q", got, want)
	}
	wantVersion(t, informer.GetStore(), want)
}
