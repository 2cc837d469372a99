package clientgo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/sluice-k8s/sluice/pkg/cache/clientgo"
)

// What only Sluice promises; the rest is the contract.

func forOurs(t *testing.T, scenario func(t *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { scenario(&scene{t, sluice(), newSource}) })
}

// An object that a user has put into the store is not replaced by an older one that was on its way.
func TestWhatWasWrittenIsNotOutdated(t *testing.T) {
	forOurs(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		go informer.RunWithContext(t.Context())
		settle()
		written := newPod("a", atVersion("3"))
		wantOK(t, informer.GetStore().Update(written))
		source.update(newPod("a")) // version 2
		settle()
		wantGot(t, informer.GetStore(), "default/a", written)
		source.update(newPod("a"))
		source.update(newPod("a"))
		settle()
		if got, _, _ := informer.GetStore().GetByKey("default/a"); describe(got) != "default/a@4" {
			t.Errorf("the store has %s, want what came after it was written", describe(got))
		}
	})
}

// A watch that goes back, as some fakes do, tells nothing new. Without versions nothing goes back.
func TestVersionsThatGoBack(t *testing.T) {
	forOurs(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		handler, _ := subscribe(t, informer)
		go informer.RunWithContext(t.Context())
		settle()
		source.send(watch.Event{Type: watch.Modified, Object: newPod("a", atVersion("10"))})
		source.send(watch.Event{Type: watch.Modified, Object: newPod("a", atVersion("9"))})
		source.send(watch.Event{Type: watch.Deleted, Object: newPod("a", atVersion("9"))})
		handler.want(t, "add default/a@1 initial", "update default/a@1 to default/a@10")
		source.send(watch.Event{Type: watch.Deleted, Object: newPod("a")})
		handler.want(t, "delete default/a@")
	})
}

// A transform may take all metadata away.
func TestTransformThatLeavesNothing(t *testing.T) {
	forOurs(t, func(t *scene) {
		source := newSource(newPod("a", withUID("u")))
		informer := newPodInformer(t.implementation, source)
		wantOK(t, informer.SetTransform(func(obj any) (any, error) {
			obj.(*corev1.Pod).ObjectMeta = metav1.ObjectMeta{}
			return obj, nil
		}))
		var handled []string
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{DeleteFunc: func(obj any) {
			handled = append(handled, obj.(cache.DeletedFinalStateUnknown).Key)
		}})
		wantOK(t, err)
		go informer.RunWithContext(t.Context())
		settle()
		wantStrings(t, informer.GetStore().ListKeys(), "default/a")
		wantVersions(t, informer, "1")
		source.miss(func() { source.delete(newPod("a")) })
		source.expire()
		pause()
		wantStrings(t, handled, "default/a")
	})
}

func TestTransformThatReturnsNothing(t *testing.T) {
	forOurs(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource(newPod("a")))
		wantOK(t, informer.SetTransform(func(any) (any, error) { return nil, nil }))
		go informer.RunWithContext(t.Context())
		settle()
		wantStrings(t, informer.GetStore().ListKeys())
		wantSynced(t, informer, true)
	})
}

func TestTransformThatPanics(t *testing.T) {
	forOurs(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource(newPod("a"), newPod("b", onNode("n"))))
		wantOK(t, informer.SetTransform(func(obj any) (any, error) {
			if obj.(*corev1.Pod).Spec.NodeName == "" {
				panic("in a transform")
			}
			return obj, nil
		}))
		go informer.RunWithContext(t.Context())
		settle()
		wantStrings(t, informer.GetStore().ListKeys(), "default/b")
	})
}

// A transform may fail for an object that is no metav1.Object but has one.
func TestTransformThatFailsForAnAccessor(t *testing.T) {
	forOurs(t, func(t *scene) {
		list := &metav1.List{Items: []runtime.RawExtension{{Object: &boxed{meta: metav1.ObjectMeta{Name: "bad"}}}}}
		informer := t.newSharedInformer(lists{newSource(), list}, nil, 0)
		wantOK(t, informer.SetTransform(func(any) (any, error) { return nil, errors.New("cannot transform") }))
		go informer.RunWithContext(t.Context())
		settle()
		wantStrings(t, informer.GetStore().ListKeys())
		wantSynced(t, informer, true)
	})
}

// Boxed is an object that hands out its metadata.
type boxed struct {
	metav1.TypeMeta

	meta metav1.ObjectMeta
}

func (b *boxed) GetObjectMeta() metav1.Object   { return &b.meta }
func (b *boxed) DeepCopyObject() runtime.Object { return new(*b) }

// What a store could not index or transform can be asked for.
func TestStoresShowTheirQuarantine(t *testing.T) {
	forOurs(t, func(t *scene) {
		indexer := clientgo.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{"node": func(any) ([]string, error) {
			return nil, errors.New("no value")
		}})
		wantOK(t, indexer.Add(newPod("a", atVersion("1"))))
		wantQuarantined(t, indexer, `node default/a@1: index "node": no value`)

		informer := newPodInformer(t.implementation, newSource(newPod("bad", onNode("bad"))))
		wantOK(t, informer.SetTransform(failOnNode))
		go informer.RunWithContext(t.Context())
		settle()
		wantQuarantined(t, informer.GetStore(), " default/bad@1: transform: cannot transform")
	})
}

func wantQuarantined(t tester, store cache.Store, want ...string) {
	t.Helper()
	var got []string
	for _, q := range store.(clientgo.Quarantine).Quarantined() {
		got = append(got, fmt.Sprintf("%s %s@%s: %v", q.Index, q.Key, q.ResourceVersion, q.Err))
	}
	wantStrings(t, got, want...)
}

// An index function that panics, as one does that asserts another type, leaves the object out of its index.
func TestIndexFunctionThatPanics(t *testing.T) {
	store := clientgo.NewThreadSafeStore(cache.Indexers{"node": byNode}, nil)
	store.Add("text", "no pod")
	store.Add("pod", newPod("a", onNode("n1")))
	keys, err := store.IndexKeys("node", "n1")
	wantOK(t, err)
	wantStrings(t, keys, "pod")
	wantStrings(t, store.ListKeys(), "pod", "text")
}

// Lists of what has no metadata are an error, like any other.
func TestListOfSomethingElse(t *testing.T) {
	forOurs(t, func(t *scene) {
		for _, list := range []runtime.Object{
			&metav1.Status{}, &metav1.List{Items: []runtime.RawExtension{{Object: &metav1.Status{}}}}, &corev1.Pod{},
		} {
			informer := newPodInformer(t.implementation, lists{newSource(), list})
			var told error
			wantOK(t, informer.SetWatchErrorHandler(func(_ *cache.Reflector, err error) { told = err }))
			go informer.RunWithContext(t.Context())
			settle()
			if told == nil || informer.HasSynced() {
				t.Errorf("a list that is a %T: %v, synced: %t", list, told, informer.HasSynced())
			}
		}
	})
}

// Some watches leave their channel open when they are stopped. An informer does not wait for that.
func TestWatchThatStaysOpen(t *testing.T) {
	forOurs(t, func(t *scene) {
		open := make(chan watch.Event)
		informer := newPodInformer(t.implementation, old{&cache.ListWatch{
			ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) { return &corev1.PodList{}, nil },
			WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) {
				return watch.NewProxyWatcher(open), nil
			},
		}})
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() { informer.Run(stop); close(stopped) }()
		settle()
		close(stop)
		settle()
		select {
		case <-stopped:
		default:
			t.Error("the informer waits for a watch that was stopped")
			close(open)
		}
	})
}

// The handler of an informer that has none set is client-go's.
func TestDefaultWatchErrorHandler(t *testing.T) {
	forOurs(t, func(t *scene) {
		source := newSource(newPod("a"))
		source.failLists(io.EOF, errUnavailable())
		informer := newPodInformer(t.implementation, source)
		wantOK(t, informer.SetWatchErrorHandlerWithContext(nil))
		go informer.RunWithContext(t.Context())
		pause()
		wantSynced(t, informer, true)
	})
}

// Stores do not keep the maps that they are given.
func TestStoreKeepsNoMap(t *testing.T) {
	indexers, items := cache.Indexers{"node": byNode}, map[string]any{"a": newPod("a")}
	store := clientgo.NewThreadSafeStore(indexers, nil)
	store.Replace(items, "1")
	store.Add("b", newPod("b"))
	if len(items) != 1 {
		t.Errorf("the store wrote into the map of items: %v", items)
	}
	delete(indexers, "node")
	delete(items, "a")
	wantStrings(t, store.ListKeys(), "a", "b")
	if _, err := store.ByIndex("node", ""); err != nil {
		t.Error(err)
	}
}

// An error of a KeyFunc keeps its identity within a transaction.
func TestTransactionErrorsWrap(t *testing.T) {
	failure := errors.New("no key")
	store := clientgo.NewStore(func(any) (string, error) { return "", failure }).(cache.TransactionStore)
	err := store.Transaction(adding(newPod("a")))
	if err == nil || !errors.Is(err.Errors[0], failure) {
		t.Errorf("got %v", err)
	}
}

// Reading allocates no more than the result.
func TestReadsAllocateTheResultOnly(t *testing.T) {
	indexer := newPodIndexer(sluice())
	for _, name := range []string{"a", "b", "c"} {
		wantOK(t, indexer.Add(newPod(name, onNode("n1"))))
	}
	for name, read := range map[string]struct {
		most float64
		do   func()
	}{
		"GetByKey": {0, func() { _, _, _ = indexer.GetByKey("default/a") }},
		"List":     {1, func() { indexer.List() }},
		"ByIndex":  {1, func() { _, _ = indexer.ByIndex("node", "n1") }},
	} {
		if got := testing.AllocsPerRun(100, read.do); got > read.most {
			t.Errorf("%s allocates %v times, want %v", name, got, read.most)
		}
	}
}
