package clientgo_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
	"pgregory.net/rapid"
)

// TestDifferentialIndexer does the same random writes to client-go's indexer and to every implementation's, and compares all
// that can be read after each.
func TestDifferentialIndexer(t *testing.T) {
	forEach(t, func(s *scene) {
		rapid.Check(s.T, func(t *rapid.T) {
			twins := newTwins(s.implementation)
			twins.compare(t)
			t.Repeat(map[string]func(*rapid.T){
				"":            twins.compare,
				"add":         twins.add,
				"update":      twins.update,
				"delete":      twins.delete,
				"replace":     twins.replace,
				"transaction": twins.transact,
				"bookmark":    twins.bookmark,
				"add indexer": twins.addIndexer,
				"resync":      twins.resync,
			})
		})
	})
}

// Twins are two indexers that are treated alike: the model, which is client-go's, and the one that is tested.
type twins struct {
	model, tested cache.Indexer
	version       int
}

func newTwins(impl implementation) *twins {
	// One map each: client-go's indexer writes into it.
	return &twins{
		model:  clientGo().newIndexer(brittleKey, cache.Indexers{"node": byNode}),
		tested: impl.newIndexer(brittleKey, cache.Indexers{"node": byNode}),
	}
}

// BrittleKey has no key for pods of the name "broken".
func brittleKey(obj any) (string, error) {
	if pod, ok := obj.(*corev1.Pod); ok && pod.Name == "broken" {
		return "", fmt.Errorf("no key for %q", pod.Name)
	}
	return cache.DeletionHandlingMetaNamespaceKeyFunc(obj)
}

func (w *twins) add(t *rapid.T) {
	pod := w.drawPod(t)
	sameError(t, w.model.Add(pod), w.tested.Add(pod))
}

func (w *twins) update(t *rapid.T) {
	pod := w.drawPod(t)
	sameError(t, w.model.Update(pod), w.tested.Update(pod))
}

func (w *twins) delete(t *rapid.T) {
	obj := w.drawDeleted(t)
	sameError(t, w.model.Delete(obj), w.tested.Delete(obj))
}

func (w *twins) replace(t *rapid.T) {
	pods := rapid.SliceOfN(rapid.Custom(w.drawPod), 0, 6).Draw(t, "pods")
	version := w.nextVersion()
	sameError(t, w.model.Replace(toAny(pods), version), w.tested.Replace(toAny(pods), version))
}

func (w *twins) transact(t *rapid.T) {
	transactions := rapid.SliceOfN(rapid.Custom(w.drawTransaction), 0, 8).Draw(t, "transactions")
	model := w.model.(cache.TransactionStore).Transaction(transactions...)
	tested := w.tested.(cache.TransactionStore).Transaction(transactions...)
	if (model == nil) != (tested == nil) {
		t.Fatalf("client-go returned %v, the other %v", model, tested)
	}
	if model == nil {
		return
	}
	sameError(t, model, tested)
	if !slices.Equal(model.SuccessfulIndices, tested.SuccessfulIndices) || len(model.Errors) != len(tested.Errors) {
		t.Fatalf("client-go returned %#v, the other %#v", model, tested)
	}
}

func (w *twins) bookmark(*rapid.T) {
	version := w.nextVersion()
	w.model.Bookmark(version)
	w.tested.Bookmark(version)
}

func (w *twins) addIndexer(t *rapid.T) {
	name := rapid.SampledFrom([]string{"labels", cache.NamespaceIndex, "node"}).Draw(t, "index")
	indexers := cache.Indexers{name: byLabels}
	sameError(t, w.model.AddIndexers(indexers), w.tested.AddIndexers(indexers))
}

func (w *twins) resync(t *rapid.T) { sameError(t, w.model.Resync(), w.tested.Resync()) }

func (w *twins) compare(t *rapid.T) {
	same(t, "ListKeys", sorted(w.model.ListKeys()), sorted(w.tested.ListKeys()))
	same(t, "List", addresses(w.model.List()), addresses(w.tested.List()))
	same(t, "LastStoreSyncResourceVersion",
		[]string{w.model.LastStoreSyncResourceVersion()}, []string{w.tested.LastStoreSyncResourceVersion()})
	for _, key := range append(w.model.ListKeys(), "default/a", "no/such/key") {
		w.compareGet(t, key)
	}
	for _, name := range []string{"labels", cache.NamespaceIndex, "node", "nosuch"} {
		w.compareIndex(t, name)
	}
}

func (w *twins) compareGet(t *rapid.T, key string) {
	model, modelExists, _ := w.model.GetByKey(key)
	tested, testedExists, err := w.tested.GetByKey(key)
	if err != nil || model != tested || modelExists != testedExists {
		t.Fatalf("client-go has %v (%t) at %s, the other %v (%t, %v)", model, modelExists, key, tested, testedExists, err)
	}
}

func (w *twins) compareIndex(t *rapid.T, name string) {
	values := w.model.ListIndexFuncValues(name)
	same(t, "ListIndexFuncValues "+name, sorted(values), sorted(w.tested.ListIndexFuncValues(name)))
	if known := w.tested.GetIndexers()[name] != nil; known != (w.model.GetIndexers()[name] != nil) {
		t.Fatalf("GetIndexers of the other has %s: %t", name, known)
	}
	for _, value := range append(values, "nowhere") {
		model, modelErr := w.model.IndexKeys(name, value)
		tested, testedErr := w.tested.IndexKeys(name, value)
		sameError(t, modelErr, testedErr)
		same(t, "IndexKeys "+name+" "+value, model, tested) // they are sorted

		modelObjs, modelErr := w.model.ByIndex(name, value)
		testedObjs, testedErr := w.tested.ByIndex(name, value)
		sameError(t, modelErr, testedErr)
		same(t, "ByIndex "+name+" "+value, addresses(modelObjs), addresses(testedObjs))
	}
	like := w.drawPod(t)
	model, modelErr := w.model.Index(name, like)
	tested, testedErr := w.tested.Index(name, like)
	sameError(t, modelErr, testedErr)
	same(t, "Index "+name, addresses(model), addresses(tested))
}

func (w *twins) drawTransaction(t *rapid.T) cache.Transaction {
	kind := rapid.SampledFrom([]cache.TransactionType{
		cache.TransactionTypeAdd, cache.TransactionTypeUpdate, cache.TransactionTypeDelete,
	}).Draw(t, "type")
	if kind == cache.TransactionTypeDelete {
		return deleting(w.drawDeleted(t))
	}
	return cache.Transaction{Type: kind, Object: w.drawPod(t)}
}

func (w *twins) drawDeleted(t *rapid.T) any {
	pod := w.drawPod(t)
	if pod.Name == "broken" || rapid.IntRange(0, 3).Draw(t, "tombstone") > 0 {
		return pod
	}
	return cache.DeletedFinalStateUnknown{Key: pod.Namespace + "/" + pod.Name, Obj: pod}
}

func (w *twins) drawPod(t *rapid.T) *corev1.Pod {
	names := []string{"a", "b", "c", "d", "e", "f", "a", "b", "c", "d", "e", "f", "broken"}
	pod := newPod(rapid.SampledFrom(names).Draw(t, "name"),
		inNamespace(rapid.SampledFrom([]string{"default", "other"}).Draw(t, "namespace")),
		onNode(rapid.SampledFrom([]string{"n1", "n2", "n3"}).Draw(t, "node")),
		atVersion(w.nextVersion()))
	pod.Labels = rapid.MapOfN(rapid.SampledFrom([]string{"app", "tier", "x"}),
		rapid.SampledFrom([]string{"1", "2"}), 0, 3).Draw(t, "labels")
	return pod
}

func (w *twins) nextVersion() string {
	w.version++
	return strconv.Itoa(w.version)
}

func same(t *rapid.T, what string, model, tested []string) {
	if !slices.Equal(model, tested) {
		t.Fatalf("%s: client-go returned %q, the other %q", what, model, tested)
	}
}

func sameError(t *rapid.T, model, tested error) {
	if (model == nil) != (tested == nil) || model != nil && model.Error() != tested.Error() {
		t.Fatalf("client-go returned the error %v, the other %v", model, tested)
	}
}

// Addresses tell objects apart: the two indexers are given the same pointers and have to return them.
func addresses(objs []any) []string {
	list := make([]string, 0, len(objs))
	for _, obj := range objs {
		list = append(list, fmt.Sprintf("%s %p", describe(obj), obj))
	}
	return sorted(list)
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func toAny(pods []*corev1.Pod) []any {
	objs := make([]any, 0, len(pods))
	for _, pod := range pods {
		objs = append(objs, pod)
	}
	return objs
}
