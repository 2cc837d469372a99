package clientgo_test

import (
	"errors"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

func adding(obj any) cache.Transaction {
	return cache.Transaction{Type: cache.TransactionTypeAdd, Object: obj}
}

func updating(obj any) cache.Transaction {
	return cache.Transaction{Type: cache.TransactionTypeUpdate, Object: obj}
}

func deleting(obj any) cache.Transaction {
	return cache.Transaction{Type: cache.TransactionTypeDelete, Object: obj}
}

// Stores take several writes at once, which client-go finds by asserting the interface.
func TestContractTransaction(t *testing.T) {
	forEachStore(t, func(t *scene, store cache.Store) {
		transacting, ok := store.(cache.TransactionStore)
		if !ok {
			t.Fatal("the store is no cache.TransactionStore")
		}
		wantOK(t, store.Add(newPod("old", atVersion("1"))))
		b := newPod("b", atVersion("4"))
		err := transacting.Transaction(
			adding(newPod("a", atVersion("2"))),
			adding(newPod("b", atVersion("3"))),
			updating(b),
			deleting(newPod("a", atVersion("5"))),
			deleting(newPod("old", atVersion("6"))),
		)
		if err != nil {
			t.Fatal(err)
		}
		wantStrings(t, store.ListKeys(), "default/b")
		wantGot(t, store, "default/b", b)
		wantVersion(t, store, "6")
	})
}

func TestContractTransactionOfNothing(t *testing.T) {
	forEachStore(t, func(t *scene, store cache.Store) {
		store.Bookmark("3")
		if err := store.(cache.TransactionStore).Transaction(); err != nil {
			t.Error(err)
		}
		wantVersion(t, store, "3")
	})
}

func TestContractTransactionWithoutKey(t *testing.T) {
	failure := errors.New("no key")
	key := func(obj any) (string, error) {
		if obj.(*corev1.Pod).Name == "broken" {
			return "", failure
		}
		return cache.MetaNamespaceKeyFunc(obj)
	}
	forEach(t, func(t *scene) {
		store := t.newStore(key)
		broken := newPod("broken")
		err := store.(cache.TransactionStore).Transaction(adding(newPod("a")), adding(broken), adding(newPod("b")))
		if err == nil {
			t.Fatal("no error")
		}
		if !slices.Equal(err.SuccessfulIndices, []int{0, 2}) || err.TotalTransactions != 3 || len(err.Errors) != 1 {
			t.Fatalf("got %#v", err)
		}
		var keyErr cache.KeyError
		if !errors.As(err.Errors[0], &keyErr) || keyErr.Obj != any(broken) || !errors.Is(keyErr, failure) {
			t.Errorf("got the error %v, want a KeyError of the object", err.Errors[0])
		}
		wantError(t, err, "failed to execute (1/3) transactions failed due to: ["+keyErr.Error()+"]")
		wantStrings(t, store.ListKeys(), "default/a", "default/b") // the others were done
	})
}

func TestContractTransactionKeepsIndexes(t *testing.T) {
	forEach(t, func(t *scene) {
		indexer := newPodIndexer(t.implementation)
		wantOK(t, indexer.Add(newPod("a", onNode("n1"))))
		err := indexer.(cache.TransactionStore).Transaction(
			updating(newPod("a", onNode("n2"))),
			adding(newPod("b", onNode("n2"))),
			updating(newPod("b", onNode("n1"))),
			deleting(newPod("a")),
		)
		if err != nil {
			t.Fatal(err)
		}
		wantByIndex(t, indexer, "node", "n1", "default/b")
		wantByIndex(t, indexer, "node", "n2")
	})
}
