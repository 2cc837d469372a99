package clientgo_test

import (
	"errors"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

func TestContractTransform(t *testing.T) {
	forEachFeed(t, func(t *scene) {
		source := t.newSource(newPod("a", onNode("n1")))
		informer := newPodInformer(t.implementation, source)
		handler, _ := subscribe(t, informer)
		seen := map[string]int{}
		wantOK(t, informer.SetTransform(func(obj any) (any, error) {
			pod := obj.(*corev1.Pod) // never a tombstone
			seen[describe(pod)]++
			pod.Spec.NodeName = "transformed" // it owns the object
			return pod, nil
		}))
		go informer.RunWithContext(t.Context())
		handler.want(t, "add default/a@1 initial")
		wantByIndex(t, informer.GetIndexer(), "node", "transformed", "default/a")
		source.create(newPod("b"))
		source.update(newPod("b"))
		settle()
		source.delete(newPod("b"))
		settle()
		source.miss(func() { source.delete(newPod("a")) })
		source.expire()
		pause()
		wantStrings(t, informer.GetStore().ListKeys())

		initial := 1
		if t.defects.transformRunsTwice && source.streams {
			initial = 2
		}
		if seen["default/a@1"] != initial || seen["default/b@2"] != 1 || seen["default/b@3"] != 1 {
			t.Errorf("the transform ran as often as this: %v", seen)
		}
		if entries := handler.take(); !slices.Contains(entries, "lost default/a last default/a@1") {
			t.Errorf("the handler was told %q, want that a is lost", entries)
		}
	})
}

// A resync and a handler that joins late show what was transformed before.
func TestContractTransformRunsOncePerVersion(t *testing.T) {
	forEachLive(t, func(t *scene) {
		informer := newPodInformer(t.implementation, newSource(newPod("a")))
		runs := 0
		wantOK(t, informer.SetTransform(func(obj any) (any, error) { runs++; return obj, nil }))
		go informer.RunWithContext(t.Context())
		settle()
		subscribe(t, informer)
		wantOK(t, informer.GetStore().Add(newPod("by hand")))
		settle()
		if runs != 1 {
			t.Errorf("the transform ran %d times, want once", runs)
		}
	})
}

func TestContractTransformToAnotherType(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := t.newSharedInformer(source, &corev1.Pod{}, 0)
		handler, _ := subscribe(t, informer)
		wantOK(t, informer.SetTransform(func(obj any) (any, error) {
			return &metav1.PartialObjectMetadata{ObjectMeta: obj.(*corev1.Pod).ObjectMeta}, nil
		}))
		go informer.Run(t.Context().Done())
		handler.want(t, "add default/a@1 initial")
		source.update(newPod("a"))
		handler.want(t, "update default/a@1 to default/a@2")
		obj, _, _ := informer.GetStore().GetByKey("default/a")
		if _, ok := obj.(*metav1.PartialObjectMetadata); !ok {
			t.Errorf("the cache holds a %T", obj)
		}
		source.delete(newPod("a"))
		handler.want(t, "delete default/a@3")
	})
}

// An object whose transform fails stays as it was in the cache, until a version comes for which it does not.
func TestContractTransformFails(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"))
		informer := newPodInformer(t.implementation, source)
		handler, _ := subscribe(t, informer)
		wantOK(t, informer.SetTransform(failOnNode))
		go informer.RunWithContext(t.Context())
		handler.want(t, "add default/a@1 initial")
		source.update(newPod("a", onNode("bad")))
		source.create(newPod("b"))
		handler.want(t, "add default/b@3")
		wantNames(t, informer.GetStore().List(), "a", "b")
		source.update(newPod("a"))
		handler.want(t, "update default/a@1 to default/a@4")
	})
}

func TestContractTransformFailsInAList(t *testing.T) {
	forEachLive(t, func(t *scene) {
		source := newSource(newPod("a"), newPod("bad", onNode("bad")))
		informer := newPodInformer(t.implementation, source)
		handler, _ := subscribe(t, informer)
		wantOK(t, informer.SetTransform(failOnNode))
		go informer.RunWithContext(t.Context())
		pause()
		if synced := informer.HasSynced(); synced != !t.defects.transformErrorFailsList {
			t.Errorf("synced: %t", synced)
		}
		if t.defects.transformErrorFailsList {
			handler.want(t)
			return
		}
		handler.want(t, "add default/a@1 initial")
		source.update(newPod("bad"))
		handler.want(t, "add default/bad@3")
	})
}

// FailOnNode is a transform that fails for pods on the node "bad".
func failOnNode(obj any) (any, error) {
	if obj.(*corev1.Pod).Spec.NodeName == "bad" {
		return nil, errors.New("cannot transform")
	}
	return obj, nil
}

var _ cache.TransformFunc = failOnNode
