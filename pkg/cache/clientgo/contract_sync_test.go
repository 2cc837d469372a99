package clientgo_test

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// A handler is synced when it has returned from all initial objects, which is later than its informer.
func TestContractHandlerSyncs(t *testing.T) {
	forEachFeed(t, func(t *scene) {
		informer := newPodInformer(t.implementation, t.newSource(newPod("a"), newPod("b")))
		release := make(chan struct{})
		handle, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(any) { <-release }})
		wantOK(t, err)
		wantSynced(t, informer, false)
		wantSynced(t, handle, false)
		go informer.RunWithContext(t.Context())
		settle()
		wantSynced(t, informer, true)
		wantSynced(t, handle, false)
		release <- struct{}{}
		settle()
		wantSynced(t, handle, false)
		release <- struct{}{}
		settle()
		wantSynced(t, handle, true)
	})
}

func TestContractLateHandlerSyncs(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		go informer.RunWithContext(t.Context())
		settle()
		release := make(chan struct{})
		handle, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(any) { <-release }})
		wantOK(t, err)
		wantSynced(t, handle, false) // not even right after it was added
		source.create(newPod("b"))
		settle()
		wantSynced(t, handle, false)
		release <- struct{}{}
		settle()
		wantSynced(t, handle, true) // though it is at work on what came later
		release <- struct{}{}
	})
}

func TestContractHandlersSyncEachForItself(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource(newPod("a")))
		release := make(chan struct{})
		slow, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(any) { <-release }})
		wantOK(t, err)
		_, quick := subscribe(t, informer)
		go informer.RunWithContext(t.Context())
		settle()
		wantSynced(t, slow, false)
		wantSynced(t, quick, true)
		close(release)
		settle()
		wantSynced(t, slow, true)
	})
}

// A handler that panics goes on, and is synced. Whether it is called with the same object again is not client-go's to say.
func TestContractHandlerThatPanicsSyncs(t *testing.T) {
	utilruntime.ReallyCrash = false
	defer func() { utilruntime.ReallyCrash = true }()
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		handler, panicked := &recorder{}, false
		handle, err := informer.AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
			AddFunc: func(obj any, isInInitialList bool) {
				handler.OnAdd(obj, isInInitialList)
				if !panicked {
					panicked = true
					panic("in a handler")
				}
			},
			UpdateFunc: handler.OnUpdate,
		})
		wantOK(t, err)
		go informer.RunWithContext(t.Context())
		handler.want(t, "add default/a@1 initial")
		wantSynced(t, handle, !t.defects.panicLosesSync)
		pause()
		if t.defects.panicLosesEvent {
			handler.want(t)
		} else {
			handler.want(t, "add default/a@1 initial")
		}
		source.update(newPod("a"))
		pause()
		handler.want(t, "update default/a@1 to default/a@2")
	})
}

func TestContractCheckerNames(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource())
		wantName(t, informer, "SharedIndexInformer *v1.Pod")
		wantName(t, t.newSharedIndexInformer(newSource(), nil, 0, nil), "SharedIndexInformer <nil>")
		wantName(t, t.newSharedIndexInformer(newSource(), &unstructured.Unstructured{}, 0, nil),
			"SharedIndexInformer *unstructured.Unstructured")

		const here = "github.com/sluice-k8s/sluice/pkg/cache/clientgo_test."
		handle := func(handler cache.ResourceEventHandler) cache.ResourceEventHandlerRegistration {
			handle, err := informer.AddEventHandler(handler)
			wantOK(t, err)
			return handle
		}
		const prefix = "SharedIndexInformer *v1.Pod + event handler "
		wantName(t, handle(&recorder{}), prefix+here+"recorder")
		wantName(t, handle(named("x")), prefix+here+"named")
		wantName(t, handle((*recorder)(nil)), prefix+"*clientgo_test.recorder")
		wantName(t, handle(cache.ResourceEventHandlerFuncs{}), prefix+"cache.ResourceEventHandlerFuncs")
		wantName(t, handle(cache.FilteringResourceEventHandler{}),
			prefix+"k8s.io/client-go/tools/cache.FilteringResourceEventHandler")
		wantName(t, handle(cache.ResourceEventHandlerFuncs{AddFunc: doNothing}), prefix+strings.TrimSuffix(here, "."))
		wantName(t, handle(&cache.ResourceEventHandlerFuncs{AddFunc: doNothing, DeleteFunc: doNothing}),
			prefix+strings.TrimSuffix(here, "."))
		wantName(t, handle(cache.ResourceEventHandlerFuncs{AddFunc: doNothing, UpdateFunc: named("x").OnUpdate}),
			prefix+here+"doNothing+"+here+"named.OnUpdate-fm")
	})
}

func TestContractWaits(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		source.failLists(errUnavailable())
		informer := newPodInformer(t.implementation, source)
		handler, handle := subscribe(t, informer)
		go informer.RunWithContext(t.Context())

		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if cache.WaitFor(short, "", informer.HasSyncedChecker(), handle.HasSyncedChecker()) ||
			cache.WaitForCacheSync(short.Done(), informer.HasSynced) {
			t.Error("an informer is synced before its first list")
		}
		if !cache.WaitFor(t.Context(), "test", informer.HasSyncedChecker(), handle.HasSyncedChecker()) {
			t.Error("WaitFor failed")
		}
		handler.want(t, "add default/a@1 initial") // it was told before it was synced
		if !cache.WaitForCacheSync(t.Context().Done(), informer.HasSynced, handle.HasSynced) ||
			!cache.WaitForNamedCacheSync("test", t.Context().Done(), informer.HasSynced) ||
			!cache.WaitForNamedCacheSyncWithContext(t.Context(), handle.HasSynced) {
			t.Error("a wait failed")
		}
	})
}

// What is synced stays so, and the channel of a checker is the same every time.
func TestContractSyncedStays(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		_, handle := subscribe(t, informer)
		before, beforeHandle := informer.HasSyncedChecker(), handle.HasSyncedChecker()
		go informer.RunWithContext(t.Context())
		settle()
		for range 2 {
			if !cache.IsDone(before) || !cache.IsDone(beforeHandle) {
				t.Error("a checker from before the start is not done")
			}
			wantSynced(t, informer, true)
			wantSynced(t, handle, true)
			source.failLists(errUnavailable(), errUnavailable())
			source.expire()
			pause()
		}
	})
}

// Informers hold whatever type they are asked to: dynamic and metadata clients use the same constructor.
func TestContractObjectTypes(t *testing.T) {
	generic := &unstructured.Unstructured{}
	generic.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
	for name, test := range map[string]struct {
		example runtime.Object
		list    runtime.Object
	}{
		"unstructured": {generic, &unstructured.UnstructuredList{Items: []unstructured.Unstructured{{Object: map[string]any{
			"apiVersion": "v1", "kind": "Pod",
			"metadata": map[string]any{"namespace": "default", "name": "a", "resourceVersion": "1"},
		}}}}},
		"metadata": {&metav1.PartialObjectMetadata{}, &metav1.PartialObjectMetadataList{Items: []metav1.PartialObjectMetadata{{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a", ResourceVersion: "1"},
		}}}},
		"any": {nil, &corev1.PodList{Items: []corev1.Pod{*newPod("a", atVersion("1"))}}},
	} {
		t.Run(name, func(t *testing.T) {
			forEachLive(t, func(t *scene) {
				informer := t.newSharedIndexInformer(lists{newSource(), test.list}, test.example, 0, cache.Indexers{})
				handler, _ := subscribe(t, informer)
				go informer.RunWithContext(t.Context())
				handler.want(t, "add default/a@1 initial")
			})
		})
	}
}

// An informer of one kind of unstructured objects takes no other.
func TestContractUnstructuredKind(t *testing.T) {
	unstructuredPod := func(kind, name string) *unstructured.Unstructured {
		obj := &unstructured.Unstructured{}
		obj.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
		obj.SetName(name)
		obj.SetResourceVersion("5")
		return obj
	}
	forEachLive(t, func(t *scene) {
		source := newSource()
		informer := t.newSharedIndexInformer(lists{source, &unstructured.UnstructuredList{}}, unstructuredPod("Pod", ""), 0, nil)
		handler, _ := subscribe(t, informer)
		go informer.RunWithContext(t.Context())
		settle()
		source.send(watch.Event{Type: watch.Added, Object: unstructuredPod("Secret", "a")})
		source.send(watch.Event{Type: watch.Added, Object: unstructuredPod("Pod", "b")})
		handler.want(t, "add b@5")
	})
}

// Lists is a source that returns a given list.
type lists struct {
	*source
	list runtime.Object
}

func (l lists) ListWithContext(context.Context, metav1.ListOptions) (runtime.Object, error) {
	return l.list.DeepCopyObject(), nil
}

func doNothing(any) {}

func wantName(t tester, of interface{ HasSyncedChecker() cache.DoneChecker }, want string) {
	t.Helper()
	if got := of.HasSyncedChecker().Name(); got != want {
		t.Errorf("the checker is called %q, want %q", got, want)
	}
}

func wantSynced(t tester, of cache.ResourceEventHandlerRegistration, want bool) {
	t.Helper()
	if has, done := of.HasSynced(), cache.IsDone(of.HasSyncedChecker()); has != want || done != want {
		t.Errorf("synced: %t, its checker is done: %t, want %t", has, done, want)
	}
}
