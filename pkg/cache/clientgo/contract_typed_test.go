package clientgo_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

// Client-go's typed informer works on top of any SharedIndexInformer, if the objects keep their type.
func TestContractTypedInformer(t *testing.T) {
	forEachFeed(t, func(t *scene) {
		source := t.newSource(newPod("a", onNode("n1")))
		informer := cache.NewTypedSharedIndexInformer[*corev1.Pod](
			t.newSharedIndexInformer(source, &corev1.Pod{}, 0, cache.Indexers{}))
		wantOK(t, informer.AddTypedIndexers(cache.TypedIndexers[*corev1.Pod]{
			"node": func(pod *corev1.Pod) ([]string, error) { return []string{pod.Spec.NodeName}, nil },
		}))
		handler := &recorder{}
		handle, err := informer.AddTypedEventHandler(cache.TypedResourceEventHandlerDetailedFuncs[*corev1.Pod]{
			AddFunc:    func(pod *corev1.Pod, initial bool) { handler.OnAdd(pod, initial) },
			UpdateFunc: func(before, after *corev1.Pod) { handler.OnUpdate(before, after) },
			DeleteFunc: func(deleted cache.DeletedObject[*corev1.Pod]) {
				if deleted.FinalStateUnknown != nil {
					handler.OnDelete(*deleted.FinalStateUnknown)
				} else {
					handler.OnDelete(deleted.OptionalObj)
				}
			},
		})
		wantOK(t, err)
		go informer.RunWithContext(t.Context())
		handler.want(t, "add default/a@1 initial")
		wantSynced(t, handle, true)
		pods, err := informer.GetTypedIndexer().ByTypedIndex("node", "n1")
		if err != nil || len(pods) != 1 || pods[0].Name != "a" {
			t.Errorf("by index: %v, %v", pods, err)
		}

		source.update(newPod("a"))
		handler.want(t, "update default/a@1 to default/a@2")
		source.miss(func() { source.delete(newPod("a")) })
		source.expire()
		pause()
		handler.want(t, "lost default/a last default/a@2")
		source.create(newPod("b"))
		source.delete(newPod("b"))
		handler.want(t, "add default/b@4", "delete default/b@5")
		wantOK(t, cache.ShutDownEventHandler(informer, handle))
	})
}

func TestContractTypedIndexer(t *testing.T) {
	forEach(t, func(t *scene) {
		informer := cache.NewTypedSharedIndexInformer[*corev1.Pod](newPodInformer(t.implementation, newSource()))
		indexer := informer.GetTypedIndexer()
		wantOK(t, indexer.Add(newPod("a", onNode("n1"))))
		pods, err := indexer.TypedIndex("node", newPod("like", onNode("n1")))
		if err != nil || len(pods) != 1 {
			t.Errorf("by object: %v, %v", pods, err)
		}
		_, err = indexer.ByTypedIndex("nosuch", "x")
		wantError(t, err, noSuchIndex)
		wantOK(t, indexer.AddTypedIndexers(cache.TypedIndexers[*corev1.Pod]{
			"name": func(pod *corev1.Pod) ([]string, error) { return []string{pod.Name}, nil },
		}))
		wantByIndex(t, indexer, "name", "a", "default/a")
	})
}
