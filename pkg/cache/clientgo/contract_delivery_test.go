package clientgo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

func newPodInformer(impl implementation, from cache.ListerWatcher) cache.SharedIndexInformer {
	return impl.newSharedIndexInformer(from, &corev1.Pod{}, 0, cache.Indexers{"node": byNode})
}

// Subscribe adds a recorder.
func subscribe(t tester, informer cache.SharedInformer) (*recorder, cache.ResourceEventHandlerRegistration) {
	t.Helper()
	handler := &recorder{}
	handle, err := informer.AddEventHandler(handler)
	wantOK(t, err)
	return handler, handle
}

// runningOnA returns an informer that runs on a source with pod a, of which its handler has heard.
func runningOnA(t *scene) (*source, cache.SharedIndexInformer, *recorder) {
	t.Helper()
	source := newSource(newPod("a"))
	informer := newPodInformer(t.implementation, source)
	handler, _ := subscribe(t, informer)
	go informer.RunWithContext(t.Context())
	handler.want(t, "add default/a@1 initial")
	return source, informer, handler
}

// Pause lets enough time pass for what is done after an error, such as a relist.
func pause() { pass(time.Minute) }

// Pass lets time pass.
func pass(period time.Duration) {
	time.Sleep(period)
	settle()
}

func TestContractHandlerIsToldOfChanges(t *testing.T) {
	forEachFeed(t, func(t *scene) {
		source := t.newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		handler, _ := subscribe(t, informer)
		go informer.RunWithContext(t.Context())
		handler.want(t, "add default/a@1 initial")

		source.create(newPod("b"))
		handler.want(t, "add default/b@2")
		source.update(newPod("a", onNode("n1")))
		handler.want(t, "update default/a@1 to default/a@3")
		source.delete(newPod("a"))
		handler.want(t, "delete default/a@4") // the version in which it is absent
		wantStrings(t, informer.GetStore().ListKeys(), "default/b")
		wantStrings(t, informer.GetIndexer().ListIndexFuncValues("node"), "")
	})
}

func TestContractHandlerThatJoinsLate(t *testing.T) {
	forEachFeed(t, func(t *scene) {
		source := t.newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		go informer.RunWithContext(t.Context())
		settle()
		source.create(newPod("b"))
		source.update(newPod("a"))
		settle()

		handler, _ := subscribe(t, informer)
		handler.wantUnordered(t, "add default/a@3 initial", "add default/b@2 initial")
		source.create(newPod("c"))
		handler.want(t, "add default/c@4")
	})
}

func TestContractHandlerThatJoinsBeforeTheFirstList(t *testing.T) {
	forEachFeed(t, func(t *scene) {
		source := t.newSource(newPod("a"))
		source.failLists(errUnavailable(), errUnavailable())
		informer := newPodInformer(t.implementation, source)
		go informer.RunWithContext(t.Context())
		settle()
		handler, _ := subscribe(t, informer)
		handler.want(t)
		pause()
		handler.want(t, "add default/a@1 initial")
	})
}

func TestContractHandlersAreIndependent(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		stuck, release := make(chan struct{}), make(chan struct{})
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(any) { close(stuck); <-release }})
		wantOK(t, err)
		handler, _ := subscribe(t, informer)
		again, _ := subscribe(t, informer)
		go informer.RunWithContext(t.Context())
		<-stuck
		source.update(newPod("a"))
		handler.want(t, "add default/a@1 initial", "update default/a@1 to default/a@2")
		again.want(t, "add default/a@1 initial", "update default/a@1 to default/a@2")
		close(release)
	})
}

// A handler that is slow may miss states, never the last one, and never the order of those it sees.
func TestContractSlowHandlerSeesTheLastState(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		handler, release := &recorder{}, make(chan struct{})
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { <-release; handler.OnAdd(obj, false) },
			UpdateFunc: handler.OnUpdate,
			DeleteFunc: handler.OnDelete,
		})
		wantOK(t, err)
		go informer.RunWithContext(t.Context())
		settle()
		source.create(newPod("b"))
		for range 3 {
			source.update(newPod("a"))
			settle()
		}
		source.delete(newPod("b"))
		settle()
		close(release)
		settle()

		entries := handler.take()
		if entries[0] != "add default/a@1" {
			t.Errorf("the handler was told %q", entries)
		}
		about := func(name string) (about []string) {
			for _, entry := range entries {
				if strings.Contains(entry, name) {
					about = append(about, entry)
				}
			}
			return about
		}
		if a := about("default/a"); !strings.HasSuffix(a[len(a)-1], "to default/a@5") || !slices.IsSorted(a) {
			t.Errorf("the handler was told %q of a", a)
		}
		if b := about("default/b"); len(b) != 0 && b[len(b)-1] != "delete default/b@6" {
			t.Errorf("the handler was told %q of b", b)
		}
	})
}

// What a handler is told of is in the cache and its indexes, or something newer is.
func TestContractHandlerIsToldAfterTheCache(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource()
		for i := range 100 {
			source.create(newPod(fmt.Sprint(i), onNode(fmt.Sprint(i))))
		}
		informer := newPodInformer(t.implementation, source)
		var early []string
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: func(obj any) {
				if objs, err := informer.GetIndexer().Index("node", obj); err != nil || len(objs) != 1 {
					early = append(early, "add "+describe(obj))
				}
			},
			DeleteFunc: func(obj any) {
				if _, exists, err := informer.GetStore().Get(obj); err != nil || exists {
					early = append(early, "delete "+describe(obj))
				}
			},
		})
		wantOK(t, err)
		go informer.RunWithContext(t.Context())
		settle()
		source.create(newPod("b", onNode("n2")))
		settle()
		source.delete(newPod("b"))
		settle()
		wantStrings(t, early)
	})
}

// A list that replaces a broken watch shows what was missed. It is an update even of what did not change.
func TestContractRelist(t *testing.T) {
	forEachFeed(t, func(t *scene) {
		source := t.newSource(newPod("same"), newPod("changed"), newPod("lost"))
		informer := newPodInformer(t.implementation, source)
		handler, _ := subscribe(t, informer)
		go informer.RunWithContext(t.Context())
		settle()
		handler.take()

		source.miss(func() {
			source.update(newPod("changed"))
			source.delete(newPod("lost"))
			source.create(newPod("new"))
		})
		source.expire()
		pause()
		handler.wantUnordered(t,
			"update default/same@1 to default/same@1",
			"update default/changed@2 to default/changed@4",
			"lost default/lost last default/lost@3",
			"add default/new@6")
		wantStrings(t, informer.GetStore().ListKeys(), "default/changed", "default/new", "default/same")
		source.update(newPod("new"))
		handler.want(t, "update default/new@6 to default/new@7")
	})
}

func TestContractTombstoneIsAValue(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		handler := &recorder{}
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{DeleteFunc: handler.OnDelete})
		wantOK(t, err)
		go informer.RunWithContext(t.Context())
		settle()
		source.miss(func() { source.delete(newPod("a")) })
		source.expire()
		pause()
		handler.want(t, "lost default/a last default/a@1")
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(handler.first); key != "default/a" || err != nil {
			t.Errorf("the key of the tombstone is %q, %v", key, err)
		}
	})
}

func TestContractRecreation(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a", withUID("u1")))
		informer := newPodInformer(t.implementation, source)
		handler, _ := subscribe(t, informer)
		go informer.RunWithContext(t.Context())
		handler.want(t, "add default/a#u1@1 initial")
		source.delete(newPod("a", withUID("u1")))
		source.create(newPod("a", withUID("u2")))
		handler.want(t, "delete default/a#u1@2", "add default/a#u2@3")

		source.miss(func() {
			source.delete(newPod("a", withUID("u2")))
			source.create(newPod("a", withUID("u3")))
		})
		source.expire()
		pause()
		if t.defects.recreationMerged {
			handler.want(t, "update default/a#u2@3 to default/a#u3@5")
		} else {
			handler.want(t, "lost default/a last default/a#u2@3", "add default/a#u3@5")
		}
	})
}

func TestContractDeletionOfWhatWasNeverSeen(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source, _, handler := runningOnA(t)
		source.delete(newPod("unknown"))
		if t.defects.unknownDeleted {
			handler.want(t, "delete default/unknown@2")
		} else {
			handler.want(t)
		}
	})
}

// What an event is to a handler follows from the cache, not from the name that the server gave it.
func TestContractEventsFollowTheCache(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source, _, handler := runningOnA(t)
		source.create(newPod("a")) // which says ADDED
		handler.want(t, "update default/a@1 to default/a@2")
		source.update(newPod("b")) // which says MODIFIED
		handler.want(t, "add default/b@3")
	})
}

func TestContractObjectsOfAnotherTypeAreIgnored(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source, informer, handler := runningOnA(t)
		source.send(watch.Event{Type: watch.Added, Object: &corev1.ConfigMap{ObjectMeta: newPod("x").ObjectMeta}})
		source.create(newPod("b"))
		handler.want(t, "add default/b@2")
		wantStrings(t, informer.GetStore().ListKeys(), "default/a", "default/b")
	})
}

func TestContractFilteringHandler(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"), newPod("b", onNode("n1")))
		informer := newPodInformer(t.implementation, source)
		handler := &recorder{}
		_, err := informer.AddEventHandler(cache.FilteringResourceEventHandler{
			FilterFunc: func(obj any) bool { return obj.(*corev1.Pod).Spec.NodeName != "" },
			Handler:    handler,
		})
		wantOK(t, err)
		go informer.RunWithContext(t.Context())
		handler.want(t, "add default/b@2 initial")
		source.update(newPod("a", onNode("n1")))
		handler.want(t, "add default/a@3")
		source.update(newPod("b"))
		handler.want(t, "delete default/b@2")
	})
}
