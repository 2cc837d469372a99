package clientgo_test

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
	"pgregory.net/rapid"
)

// TestDifferentialThreadSafeStore does the same random writes, of anything under any key, to client-go's store and to every
// implementation's, and compares all that can be read after each.
func TestDifferentialThreadSafeStore(t *testing.T) {
	forEach(t, func(s *scene) {
		rapid.Check(s.T, func(t *rapid.T) {
			twins := newStoreTwins(s.implementation)
			t.Repeat(map[string]func(*rapid.T){
				"":                   twins.compare,
				"add":                twins.add,
				"update":             twins.update,
				"delete":             twins.delete,
				"delete with object": twins.deleteWithObject,
				"replace":            twins.replace,
				"transaction":        twins.transact,
			})
		})
	})
}

// StoreTwins are two stores that are treated alike.
type storeTwins struct {
	model, tested cache.ThreadSafeStoreWithTransaction
	version       int
}

func newStoreTwins(impl implementation) *storeTwins {
	twin := func(impl implementation) cache.ThreadSafeStoreWithTransaction {
		store := impl.newThreadSafeStore(cache.Indexers{"kind": byKind}, cache.Indices{})
		return store.(cache.ThreadSafeStoreWithTransaction)
	}
	return &storeTwins{model: twin(clientGo()), tested: twin(impl)}
}

// ByKind indexes anything.
func byKind(obj any) ([]string, error) {
	switch obj := obj.(type) {
	case *corev1.Pod:
		return []string{"pod", obj.Spec.NodeName, "pod"}, nil
	case string:
		return []string{obj}, nil
	case nil:
		return nil, errors.New("nil is not indexed")
	default:
		return nil, nil
	}
}

func (w *storeTwins) add(t *rapid.T) {
	key, obj := drawKey(t), w.drawObject(t)
	w.model.Add(key, obj)
	w.tested.Add(key, obj)
}

func (w *storeTwins) update(t *rapid.T) {
	key, obj := drawKey(t), w.drawObject(t)
	w.model.Update(key, obj)
	w.tested.Update(key, obj)
}

func (w *storeTwins) delete(t *rapid.T) {
	key := drawKey(t)
	w.model.Delete(key)
	w.tested.Delete(key)
}

func (w *storeTwins) deleteWithObject(t *rapid.T) {
	key, obj := drawKey(t), w.drawObject(t)
	w.model.DeleteWithObject(key, obj)
	w.tested.DeleteWithObject(key, obj)
}

func (w *storeTwins) replace(t *rapid.T) {
	items := map[string]any{}
	for range rapid.IntRange(0, 5).Draw(t, "items") {
		items[drawKey(t)] = w.drawObject(t)
	}
	w.version++
	w.model.Replace(maps.Clone(items), strconv.Itoa(w.version)) // which client-go goes on to write into
	w.tested.Replace(items, strconv.Itoa(w.version))
}

func (w *storeTwins) transact(t *rapid.T) {
	var transactions []cache.ThreadSafeStoreTransaction
	for range rapid.IntRange(0, 6).Draw(t, "transactions") {
		kind := rapid.SampledFrom([]func(any) cache.Transaction{adding, updating, deleting}).Draw(t, "type")
		transactions = append(transactions, cache.ThreadSafeStoreTransaction{Key: drawKey(t), Transaction: kind(w.drawObject(t))})
	}
	w.model.Transaction(transactions...)
	w.tested.Transaction(transactions...)
}

func (w *storeTwins) compare(t *rapid.T) {
	same(t, "ListKeys", sorted(w.model.ListKeys()), sorted(w.tested.ListKeys()))
	same(t, "List", addresses(w.model.List()), addresses(w.tested.List()))
	same(t, "version", []string{w.model.LastStoreSyncResourceVersion()}, []string{w.tested.LastStoreSyncResourceVersion()})
	for _, key := range append(w.model.ListKeys(), storeKeys()...) {
		model, modelExists := w.model.Get(key)
		tested, testedExists := w.tested.Get(key)
		if model != tested || modelExists != testedExists {
			t.Fatalf("client-go has %v (%t) at %q, the other %v (%t)", model, modelExists, key, tested, testedExists)
		}
	}
	values := w.model.ListIndexFuncValues("kind")
	same(t, "ListIndexFuncValues", sorted(values), sorted(w.tested.ListIndexFuncValues("kind")))
	for _, value := range values {
		model, _ := w.model.IndexKeys("kind", value)
		tested, err := w.tested.IndexKeys("kind", value)
		if err != nil || !slices.Equal(model, tested) {
			t.Fatalf("client-go has %q for %q, the other %q, %v", model, value, tested, err)
		}
	}
}

func (w *storeTwins) drawObject(t *rapid.T) any {
	w.version++
	pod := newPod(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"),
		onNode(rapid.SampledFrom([]string{"n1", "n2"}).Draw(t, "node")), atVersion(strconv.Itoa(w.version)))
	return rapid.SampledFrom([]any{pod, "a string", nil, 7, cache.DeletedFinalStateUnknown{Key: "a", Obj: pod}}).Draw(t, "object")
}

func drawKey(t *rapid.T) string { return rapid.SampledFrom(storeKeys()).Draw(t, "key") }

func storeKeys() []string { return []string{"", "a", "b", "/", "/a", "a/", "a/b", "a/b/c", "a//b"} }
