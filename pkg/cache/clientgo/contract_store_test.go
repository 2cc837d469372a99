package clientgo_test

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

func TestContractStoreHoldsTheLastObjectOfAKey(t *testing.T) {
	forEachStore(t, func(t *scene, store cache.Store) {
		first, second := newPod("a", atVersion("1")), newPod("a", atVersion("2"))
		wantOK(t, store.Add(first))
		wantGot(t, store, "default/a", first)
		wantOK(t, store.Update(second))
		wantGot(t, store, "default/a", second)
		wantOK(t, store.Add(first)) // Add of a known key is an Update
		wantGot(t, store, "default/a", first)
		wantOK(t, store.Delete(newPod("a")))
		wantGot(t, store, "default/a", nil)
	})
}

func TestContractStoreUpdateAddsAndDeleteForgives(t *testing.T) {
	forEachStore(t, func(t *scene, store cache.Store) {
		pod := newPod("a")
		wantOK(t, store.Update(pod))
		wantGot(t, store, "default/a", pod)
		wantOK(t, store.Delete(newPod("unknown")))
		wantGot(t, store, "default/a", pod)
	})
}

func TestContractStoreLists(t *testing.T) {
	forEachStore(t, func(t *scene, store cache.Store) {
		if objs, keys := store.List(), store.ListKeys(); objs == nil || len(objs) > 0 || keys == nil || len(keys) > 0 {
			t.Errorf("an empty store lists %v and the keys %v, want slices that are empty, not nil", objs, keys)
		}
		wantOK(t, store.Add(newPod("a")))
		wantOK(t, store.Add(newPod("a", inNamespace("other"))))
		wantOK(t, store.Add(newPod("node", inNamespace(""))))
		wantNames(t, store.List(), "a", "a", "node")
		wantStrings(t, store.ListKeys(), "default/a", "node", "other/a")
	})
}

func TestContractStoreListsBelongToTheCaller(t *testing.T) {
	forEachStore(t, func(t *scene, store cache.Store) {
		wantOK(t, store.Add(newPod("a")))
		store.List()[0] = nil
		store.ListKeys()[0] = "gone"
		wantNames(t, store.List(), "a")
		wantStrings(t, store.ListKeys(), "default/a")
	})
}

func TestContractStoreGet(t *testing.T) {
	forEachStore(t, func(t *scene, store cache.Store) {
		pod := newPod("a", atVersion("7"))
		wantOK(t, store.Add(pod))
		for name, by := range map[string]any{
			"an object with the key": newPod("a"),
			"the key itself":         cache.ExplicitKey("default/a"),
		} {
			if got, exists, err := store.Get(by); got != any(pod) || !exists || err != nil {
				t.Errorf("Get by %s: %v, %t, %v", name, got, exists, err)
			}
		}
		if got, exists, err := store.Get(newPod("unknown")); got != nil || exists || err != nil {
			t.Errorf("Get of an unknown object: %v, %t, %v", got, exists, err)
		}
		if got, exists, err := store.GetByKey("no/such/key"); got != nil || exists || err != nil {
			t.Errorf("GetByKey of an unknown key: %v, %t, %v", got, exists, err)
		}
	})
}

func TestContractStoreReplace(t *testing.T) {
	forEachStore(t, func(t *scene, store cache.Store) {
		wantOK(t, store.Add(newPod("old", atVersion("1"))))
		last := newPod("b", atVersion("4"))
		wantOK(t, store.Replace([]any{newPod("a", atVersion("2")), newPod("b", atVersion("3")), last}, "5"))
		wantStrings(t, store.ListKeys(), "default/a", "default/b")
		wantGot(t, store, "default/b", last) // the last of a key wins
		wantVersion(t, store, "5")

		wantOK(t, store.Replace(nil, "6"))
		wantStrings(t, store.ListKeys())
		wantVersion(t, store, "6")
	})
}

func TestContractStoreKeyErrors(t *testing.T) {
	failure := errors.New("no key")
	broken := newPod("broken")
	key := func(obj any) (string, error) {
		if pod, ok := obj.(*corev1.Pod); ok && pod.Name == "broken" {
			return "", failure
		}
		return cache.MetaNamespaceKeyFunc(obj)
	}
	forEach(t, func(t *scene) {
		store := t.newStore(key)
		wantOK(t, store.Add(newPod("a", atVersion("1"))))
		for verb, call := range map[string]func() error{
			"Add":     func() error { return store.Add(broken) },
			"Update":  func() error { return store.Update(broken) },
			"Delete":  func() error { return store.Delete(broken) },
			"Get":     func() error { _, _, err := store.Get(broken); return err },
			"Replace": func() error { return store.Replace([]any{newPod("b"), broken}, "9") },
		} {
			err := call()
			var keyErr cache.KeyError // a value: users write errors.As(err, &keyErr)
			if !errors.As(err, &keyErr) || keyErr.Obj != any(broken) || !errors.Is(err, failure) {
				t.Errorf("%s: got the error %v, want a KeyError of the object", verb, err)
			}
		}
		wantStrings(t, store.ListKeys(), "default/a") // nothing was done, not even half of Replace
		wantVersion(t, store, "1")
	})
}

func TestContractStoreHoldsWhatHasNoMetadata(t *testing.T) {
	type thing struct {
		id   string
		tags []string // not comparable
	}
	forEach(t, func(t *scene) {
		store := t.newStore(func(obj any) (string, error) { return obj.(thing).id, nil })
		wantOK(t, store.Add(thing{"a", []string{"x"}}))
		wantOK(t, store.Update(thing{"a", []string{"y"}}))
		got, exists, err := store.Get(thing{id: "a"})
		if err != nil || !exists || got.(thing).tags[0] != "y" {
			t.Errorf("Get: %v, %t, %v", got, exists, err)
		}
		wantVersion(t, store, "")
		wantOK(t, store.Replace([]any{thing{id: "b"}}, "3"))
		wantOK(t, store.Delete(thing{id: "b"}))
		wantVersion(t, store, "3")
	})
}

func TestContractStoreDeletesByTombstone(t *testing.T) {
	forEach(t, func(t *scene) {
		store := t.newStore(cache.DeletionHandlingMetaNamespaceKeyFunc)
		wantOK(t, store.Add(newPod("a", atVersion("1"))))
		wantOK(t, store.Add(newPod("b", atVersion("2"))))
		wantOK(t, store.Delete(cache.DeletedFinalStateUnknown{Key: "default/a"}))
		wantStrings(t, store.ListKeys(), "default/b")
		wantVersion(t, store, "2") // a tombstone has no version

		strict := t.newStore(cache.MetaNamespaceKeyFunc)
		if err := strict.Delete(cache.DeletedFinalStateUnknown{Key: "default/a"}); err == nil {
			t.Error("a store whose KeyFunc knows no tombstones took one")
		}
	})
}

func TestContractStoreResyncDoesNothing(t *testing.T) {
	forEachStore(t, func(t *scene, store cache.Store) {
		wantOK(t, store.Add(newPod("a")))
		wantOK(t, store.Resync())
		wantStrings(t, store.ListKeys(), "default/a")
	})
}

func TestContractStoreVersion(t *testing.T) {
	forEachStore(t, func(t *scene, store cache.Store) {
		wantVersion(t, store, "")
		wantOK(t, store.Add(newPod("a", atVersion("5"))))
		wantVersion(t, store, "5")
		wantOK(t, store.Update(newPod("a", atVersion("6"))))
		wantVersion(t, store, "6")
		store.Bookmark("8")
		wantVersion(t, store, "8")
		wantOK(t, store.Delete(newPod("a", atVersion("9"))))
		wantVersion(t, store, "9")
		wantOK(t, store.Delete(newPod("unknown", atVersion("11"))))
		wantVersion(t, store, "11")
		wantOK(t, store.Replace(nil, "3")) // a restored server goes back
		wantVersion(t, store, "3")
	})
}

func TestContractStoreVersionOfObjectsWithoutOne(t *testing.T) {
	forEach(t, func(t *scene) {
		store := t.newStore(cache.MetaNamespaceKeyFunc)
		store.Bookmark("5")
		wantOK(t, store.Add(newPod("a")))
		if t.defects.versionForgotten {
			wantVersion(t, store, "")
		} else {
			wantVersion(t, store, "5")
		}
	})
}

// A Store that a constructor or an informer returns is an Indexer too; users assert it.
func TestContractStoreIsAnIndexer(t *testing.T) {
	forEachStore(t, func(t *scene, store cache.Store) {
		indexer, ok := store.(cache.Indexer)
		if !ok {
			t.Fatal("the store is no cache.Indexer")
		}
		wantOK(t, indexer.AddIndexers(cache.Indexers{"host": byNode}))
		wantOK(t, store.Add(newPod("a", onNode("n1"))))
		objs, err := indexer.ByIndex("host", "n1")
		wantOK(t, err)
		wantNames(t, objs, "a")
	})
}

func wantGot(t tester, store cache.Store, key string, want any) {
	t.Helper()
	got, exists, err := store.GetByKey(key)
	if got != want || exists != (want != nil) || err != nil {
		t.Errorf("the store has %v (%t, %v) at %s, want %v", got, exists, err, key, want)
	}
}

func wantVersion(t tester, store interface{ LastStoreSyncResourceVersion() string }, want string) {
	t.Helper()
	if got := store.LastStoreSyncResourceVersion(); got != want {
		t.Errorf("the store is at resource version %q, want %q", got, want)
	}
}
