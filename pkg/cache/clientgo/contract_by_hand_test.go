package clientgo_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// Unit tests of controllers fill the cache of an informer that never runs.
func TestContractCacheFilledByHand(t *testing.T) {
	forEach(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource())
		pod := newPod("a", onNode("n1"), withLabels(map[string]string{"app": "web"}))
		wantOK(t, informer.GetStore().Add(pod))
		wantOK(t, informer.GetIndexer().Add(newPod("b", onNode("n1"))))
		wantByIndex(t, informer.GetIndexer(), "node", "n1", "default/a", "default/b")

		lister := corelisters.NewPodLister(informer.GetIndexer())
		if got, err := lister.Pods("default").Get("a"); got != pod || err != nil {
			t.Errorf("the lister has %v, %v, want the same pointer", got, err)
		}
		pods, err := lister.List(labels.SelectorFromSet(labels.Set{"app": "web"}))
		if len(pods) != 1 || err != nil {
			t.Errorf("the lister has %v, %v", pods, err)
		}
		wantOK(t, informer.GetIndexer().Delete(pod))
		wantOK(t, informer.GetIndexer().Replace([]any{newPod("c")}, "5"))
		wantStrings(t, informer.GetStore().ListKeys(), "default/c")
		if informer.HasSynced() {
			t.Error("an informer that never ran is synced")
		}
	})
}

// A handler is not told of what was put into the cache by hand, and the first list settles what is true.
func TestContractCacheFilledBeforeTheStart(t *testing.T) {
	forEachFeed(t, func(t *scene) {
		source := t.newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		before, _ := subscribe(t, informer)
		wantOK(t, informer.GetStore().Add(newPod("a", atVersion("0"))))
		wantOK(t, informer.GetStore().Add(newPod("gone", atVersion("0"))))
		after, _ := subscribe(t, informer)
		before.want(t)
		after.want(t)

		go informer.RunWithContext(t.Context())
		for _, handler := range []*recorder{before, after} {
			handler.wantUnordered(t, "update default/a@0 to default/a@1", "lost default/gone last default/gone@0")
		}
		wantStrings(t, informer.GetStore().ListKeys(), "default/a")
	})
}

func TestContractCacheFilledWhileItRuns(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source, informer, handler := runningOnA(t)

		wantOK(t, informer.GetStore().Add(newPod("b", onNode("n1"), atVersion("0"))))
		wantOK(t, informer.GetStore().Delete(newPod("a")))
		handler.want(t)
		wantByIndex(t, informer.GetIndexer(), "node", "n1", "default/b")
		late, _ := subscribe(t, informer)
		late.want(t, "add default/b@0 initial")

		source.update(newPod("b"))
		source.update(newPod("a"))
		handler.want(t, "update default/b@0 to default/b@2", "add default/a@3")
	})
}
