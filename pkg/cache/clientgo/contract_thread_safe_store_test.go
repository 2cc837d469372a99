package clientgo_test

import (
	"testing"

	"k8s.io/client-go/tools/cache"
)

func newPodStore(impl implementation) cache.ThreadSafeStore {
	return impl.newThreadSafeStore(cache.Indexers{"node": byNode}, cache.Indices{})
}

// A ThreadSafeStore is told its keys, which need not have to do with the objects.
func TestContractThreadSafeStore(t *testing.T) {
	forEach(t, func(t *scene) {
		store := newPodStore(t.implementation)
		first, second := newPod("a", onNode("n1")), newPod("a", onNode("n1"))
		store.Add("one", first)
		store.Update("two", second)
		if got, exists := store.Get("one"); got != any(first) || !exists {
			t.Errorf("Get: %v, %t", got, exists)
		}
		if got, exists := store.Get("default/a"); got != nil || exists {
			t.Errorf("Get of an unknown key: %v, %t", got, exists)
		}
		wantStrings(t, store.ListKeys(), "one", "two")
		wantNames(t, store.List(), "a", "a")
		keys, err := store.IndexKeys("node", "n1")
		wantOK(t, err)
		wantStrings(t, keys, "one", "two")

		store.Delete("one")
		store.DeleteWithObject("two", second)
		store.Delete("unknown")
		wantStrings(t, store.ListKeys())
		wantStrings(t, store.ListIndexFuncValues("node"))
		wantOK(t, store.Resync())
	})
}

func TestContractThreadSafeStoreIndexes(t *testing.T) {
	forEach(t, func(t *scene) {
		store := newPodStore(t.implementation)
		store.Replace(map[string]any{"one": newPod("a", onNode("n1")), "two": newPod("b", onNode("n2"))}, "7")
		objs, err := store.ByIndex("node", "n1")
		wantOK(t, err)
		wantNames(t, objs, "a")
		objs, err = store.Index("node", newPod("x", onNode("n2")))
		wantOK(t, err)
		wantNames(t, objs, "b")
		_, err = store.Index("nosuch", newPod("x"))
		wantError(t, err, noSuchIndex)
		_, err = store.IndexKeys("nosuch", "n1")
		wantError(t, err, noSuchIndex)
		_, err = store.ByIndex("nosuch", "n1")
		wantError(t, err, noSuchIndex)
		wantOK(t, store.AddIndexers(cache.Indexers{"labels": byLabels}))
		wantError(t, store.AddIndexers(cache.Indexers{"labels": byLabels}), "indexer conflict: map[labels:{}]")
		if len(store.GetIndexers()) != 2 {
			t.Errorf("the indexers are %v", store.GetIndexers())
		}
	})
}

func TestContractThreadSafeStoreVersion(t *testing.T) {
	forEach(t, func(t *scene) {
		store := newPodStore(t.implementation)
		store.Add("one", newPod("a", atVersion("5")))
		wantVersion(t, store, "5")
		store.Delete("one") // tells no version
		wantVersion(t, store, "5")
		store.DeleteWithObject("one", newPod("a", atVersion("6")))
		wantVersion(t, store, "6")
		store.DeleteWithObject("one", cache.DeletedFinalStateUnknown{Key: "one", Obj: newPod("a", atVersion("7"))})
		wantVersion(t, store, "6")
		store.Bookmark("8")
		wantVersion(t, store, "8")
		store.Replace(map[string]any{}, "3")
		wantVersion(t, store, "3")
	})
}

func TestContractThreadSafeStoreTransaction(t *testing.T) {
	forEach(t, func(t *scene) {
		store, ok := newPodStore(t.implementation).(cache.ThreadSafeStoreWithTransaction)
		if !ok {
			t.Fatal("the store is no cache.ThreadSafeStoreWithTransaction")
		}
		store.Transaction(
			cache.ThreadSafeStoreTransaction{Key: "one", Transaction: adding(newPod("a", onNode("n1"), atVersion("1")))},
			cache.ThreadSafeStoreTransaction{Key: "two", Transaction: adding(newPod("b", onNode("n1"), atVersion("2")))},
			cache.ThreadSafeStoreTransaction{Key: "one", Transaction: updating(newPod("a", onNode("n2"), atVersion("3")))},
			cache.ThreadSafeStoreTransaction{Key: "two", Transaction: deleting(newPod("b", onNode("n1"), atVersion("4")))},
		)
		wantStrings(t, store.ListKeys(), "one")
		wantStrings(t, store.ListIndexFuncValues("node"), "n2")
		wantVersion(t, store, "4")
		store.Transaction()
		wantVersion(t, store, "4")
	})
}

// The version of the last object counts, whatever is done with it, and one without metadata tells none.
func TestContractThreadSafeStoreTransactionVersion(t *testing.T) {
	forEach(t, func(t *scene) {
		store := t.newThreadSafeStore(cache.Indexers{}, cache.Indices{}).(cache.ThreadSafeStoreWithTransaction)
		store.Transaction(
			cache.ThreadSafeStoreTransaction{Key: "one", Transaction: adding(newPod("a", atVersion("9")))},
			cache.ThreadSafeStoreTransaction{Key: "two", Transaction: deleting(newPod("b", atVersion("8")))},
		)
		wantVersion(t, store, "8")
		store.Transaction(cache.ThreadSafeStoreTransaction{Key: "three", Transaction: adding("just a string")})
		wantVersion(t, store, "8")
		wantStrings(t, store.ListKeys(), "one", "three")
	})
}

func TestContractThreadSafeStoreOfNothing(t *testing.T) {
	forEach(t, func(t *scene) {
		store := t.newThreadSafeStore(nil, nil)
		store.Add("one", newPod("a"))
		store.Add("nil", nil)
		if got, exists := store.Get("nil"); got != nil || !exists {
			t.Errorf("Get of a nil object: %v, %t", got, exists)
		}
		wantStrings(t, store.ListKeys(), "nil", "one")
	})
}
