package clientgo_test

import (
	"errors"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

const noSuchIndex = "Index with name nosuch does not exist"

func byNode(obj any) ([]string, error) { return []string{obj.(*corev1.Pod).Spec.NodeName}, nil }

// ByLabels gives an object as many values as it has labels.
func byLabels(obj any) ([]string, error) {
	var values []string
	for key, value := range obj.(*corev1.Pod).Labels {
		values = append(values, key+"="+value)
	}
	return values, nil
}

func newPodIndexer(impl implementation) cache.Indexer {
	return impl.newIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{"node": byNode, "labels": byLabels})
}

func TestContractIndexFollowsWrites(t *testing.T) {
	forEach(t, func(t *scene) {
		indexer := newPodIndexer(t.implementation)
		wantOK(t, indexer.Add(newPod("a", onNode("n1"))))
		wantOK(t, indexer.Add(newPod("b", onNode("n1"))))
		wantByIndex(t, indexer, "node", "n1", "default/a", "default/b")

		wantOK(t, indexer.Update(newPod("a", onNode("n2"))))
		wantByIndex(t, indexer, "node", "n1", "default/b")
		wantByIndex(t, indexer, "node", "n2", "default/a")

		wantOK(t, indexer.Delete(newPod("a")))
		wantByIndex(t, indexer, "node", "n2")

		wantOK(t, indexer.Replace([]any{newPod("c", onNode("n3"))}, "1"))
		wantByIndex(t, indexer, "node", "n1")
		wantByIndex(t, indexer, "node", "n3", "default/c")
	})
}

func TestContractIndexOfSeveralValues(t *testing.T) {
	forEach(t, func(t *scene) {
		indexer := newPodIndexer(t.implementation)
		wantOK(t, indexer.Add(newPod("a", withLabels(map[string]string{"app": "web", "tier": "front"}))))
		wantOK(t, indexer.Add(newPod("b", withLabels(map[string]string{"app": "web", "tier": "back"}))))
		wantOK(t, indexer.Add(newPod("c")))
		wantByIndex(t, indexer, "labels", "app=web", "default/a", "default/b")
		wantByIndex(t, indexer, "labels", "tier=back", "default/b")
		wantStrings(t, indexer.ListIndexFuncValues("labels"), "app=web", "tier=back", "tier=front")

		wantOK(t, indexer.Update(newPod("a", withLabels(map[string]string{"app": "web", "tier": "back"}))))
		wantByIndex(t, indexer, "labels", "tier=front")
		wantByIndex(t, indexer, "labels", "tier=back", "default/a", "default/b")
		wantStrings(t, indexer.ListIndexFuncValues("labels"), "app=web", "tier=back")
	})
}

// Index returns every object once that shares a value with the one asked about.
func TestContractIndexByObject(t *testing.T) {
	forEach(t, func(t *scene) {
		indexer := newPodIndexer(t.implementation)
		wantOK(t, indexer.Add(newPod("a", withLabels(map[string]string{"app": "web", "tier": "front"}))))
		wantOK(t, indexer.Add(newPod("b", withLabels(map[string]string{"tier": "back"}))))
		wantOK(t, indexer.Add(newPod("c", withLabels(map[string]string{"app": "db"}))))

		like := newPod("not in the store", withLabels(map[string]string{"app": "web", "tier": "front", "x": "y"}))
		objs, err := indexer.Index("labels", like)
		wantOK(t, err)
		wantNames(t, objs, "a")

		like.Labels = map[string]string{"app": "web", "tier": "back"}
		objs, err = indexer.Index("labels", like)
		wantOK(t, err)
		wantNames(t, objs, "a", "b")

		objs, err = indexer.Index("labels", newPod("without labels"))
		wantOK(t, err)
		wantNames(t, objs)
	})
}

// The values that an index function repeats count once.
func TestContractIndexRepeatedValues(t *testing.T) {
	forEach(t, func(t *scene) {
		twice := func(obj any) ([]string, error) { return []string{"x", "x", "y"}, nil }
		indexer := t.newIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{"twice": twice})
		wantOK(t, indexer.Add(newPod("a")))
		wantOK(t, indexer.Update(newPod("a")))
		wantByIndex(t, indexer, "twice", "x", "default/a")
		objs, err := indexer.Index("twice", newPod("b"))
		wantOK(t, err)
		wantNames(t, objs, "a")
		wantOK(t, indexer.Delete(newPod("a")))
		wantStrings(t, indexer.ListIndexFuncValues("twice"))
	})
}

func TestContractIndexUnknown(t *testing.T) {
	forEach(t, func(t *scene) {
		indexer := newPodIndexer(t.implementation)
		_, err := indexer.Index("nosuch", newPod("a"))
		wantError(t, err, noSuchIndex)
		_, err = indexer.IndexKeys("nosuch", "value")
		wantError(t, err, noSuchIndex)
		_, err = indexer.ByIndex("nosuch", "value")
		wantError(t, err, noSuchIndex)
		if values := indexer.ListIndexFuncValues("nosuch"); values == nil || len(values) > 0 {
			t.Errorf("values of an unknown index: %#v, want a slice that is empty, not nil", values)
		}
	})
}

func TestContractIndexUnknownValue(t *testing.T) {
	forEach(t, func(t *scene) {
		indexer := newPodIndexer(t.implementation)
		objs, err := indexer.ByIndex("node", "nowhere")
		if objs == nil || len(objs) > 0 || err != nil {
			t.Errorf("ByIndex: %#v, %v, want a slice that is empty, not nil", objs, err)
		}
		keys, err := indexer.IndexKeys("node", "nowhere")
		if keys == nil || len(keys) > 0 || err != nil {
			t.Errorf("IndexKeys: %#v, %v, want a slice that is empty, not nil", keys, err)
		}
	})
}

func TestContractIndexKeysAreSorted(t *testing.T) {
	forEach(t, func(t *scene) {
		indexer := newPodIndexer(t.implementation)
		for _, name := range []string{"d", "b", "a", "c"} {
			wantOK(t, indexer.Add(newPod(name, onNode("n1"))))
		}
		keys, err := indexer.IndexKeys("node", "n1")
		wantOK(t, err)
		if want := []string{"default/a", "default/b", "default/c", "default/d"}; !slices.Equal(keys, want) {
			t.Errorf("got the keys %q, want %q", keys, want)
		}
	})
}

func TestContractAddIndexersToAFullStore(t *testing.T) {
	forEach(t, func(t *scene) {
		indexer := newPodIndexer(t.implementation)
		wantOK(t, indexer.Add(newPod("a", onNode("n1"), inNamespace("x"))))
		wantOK(t, indexer.AddIndexers(cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}))
		wantByIndex(t, indexer, cache.NamespaceIndex, "x", "x/a")
		wantOK(t, indexer.Add(newPod("b", inNamespace("x"))))
		wantByIndex(t, indexer, cache.NamespaceIndex, "x", "x/a", "x/b")
		wantByIndex(t, indexer, "node", "n1", "x/a")
	})
}

func TestContractAddIndexersConflict(t *testing.T) {
	forEach(t, func(t *scene) {
		indexer := newPodIndexer(t.implementation)
		wantError(t, indexer.AddIndexers(cache.Indexers{"new": byNode, "node": byNode}), "indexer conflict: map[node:{}]")
		if _, err := indexer.ByIndex("new", "n1"); err == nil {
			t.Error("the indexers that conflict with nothing were added, want all or nothing")
		}
		wantOK(t, indexer.AddIndexers(nil))
	})
}

func TestContractAddIndexersToNone(t *testing.T) {
	forEach(t, func(t *scene) {
		for name, indexer := range map[string]cache.Indexer{
			"indexer":  t.newIndexer(cache.MetaNamespaceKeyFunc, nil),
			"informer": t.newSharedIndexInformer(newSource(), &corev1.Pod{}, 0, nil).GetIndexer(),
		} {
			wantOK(t, indexer.Add(newPod("a", onNode("n1"))))
			add := func() { wantOK(t, indexer.AddIndexers(cache.Indexers{"node": byNode})) }
			if panicked := panics(add); panicked != t.defects.nilIndexersPanic {
				t.Errorf("%s: panicked: %t", name, panicked)
			}
			if !t.defects.nilIndexersPanic {
				wantByIndex(t, indexer, "node", "n1", "default/a")
			}
		}
	})
}

func TestContractGetIndexers(t *testing.T) {
	forEach(t, func(t *scene) {
		given := cache.Indexers{"node": byNode}
		indexer := t.newIndexer(cache.MetaNamespaceKeyFunc, given)
		wantOK(t, indexer.AddIndexers(cache.Indexers{"labels": byLabels}))
		got := indexer.GetIndexers()
		if len(got) != 2 || got["node"] == nil || got["labels"] == nil {
			t.Errorf("the indexers are %v", got)
		}
		if shared := len(given) == 2; shared != t.defects.indexersShared {
			t.Errorf("AddIndexers wrote into the map that the constructor was given: %t", shared)
		}
		delete(got, "node")
		if shared := len(indexer.GetIndexers()) == 1; shared != t.defects.indexersShared {
			t.Errorf("GetIndexers returned the indexer's own map: %t", shared)
		}
	})
}

func TestContractIndexFunctionFails(t *testing.T) {
	failing := func(obj any) ([]string, error) {
		if obj.(*corev1.Pod).Name == "bad" {
			return nil, errors.New("no value")
		}
		return []string{"good"}, nil
	}
	forEach(t, func(t *scene) {
		indexer := t.newIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{"failing": failing})
		wantOK(t, indexer.Add(newPod("a")))
		_, err := indexer.Index("failing", newPod("bad"))
		wantError(t, err, "no value")

		add := func() { wantOK(t, indexer.Add(newPod("bad"))) }
		if panicked := panics(add); panicked != t.defects.indexErrorPanics {
			t.Errorf("the write panicked: %t", panicked)
		}
		wantStrings(t, indexer.ListKeys(), "default/a", "default/bad")
		wantByIndex(t, indexer, "failing", "good", "default/a")
	})
}

// WantByIndex checks the objects of a value and their keys.
func wantByIndex(t tester, indexer cache.Indexer, index, value string, keys ...string) {
	t.Helper()
	got, err := indexer.IndexKeys(index, value)
	wantOK(t, err)
	wantStrings(t, got, keys...)
	objs, err := indexer.ByIndex(index, value)
	wantOK(t, err)
	var objKeys []string
	for _, obj := range objs {
		key, err := cache.MetaNamespaceKeyFunc(obj)
		wantOK(t, err)
		objKeys = append(objKeys, key)
	}
	wantStrings(t, objKeys, keys...)
}
