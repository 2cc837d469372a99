package cache

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// replaceNamespace is replace for one namespace: the objects of others stay.
func (a *applying[T]) replaceNamespace(batch *Batch[T]) {
	before := a.indexer.Snapshot() // what is being changed
	seen := make(map[types.NamespacedName]struct{}, len(batch.Items))
	for _, item := range batch.Items {
		key := KeyOf(item)
		seen[key] = struct{}{}
		old, at := a.tx.Find(key)
		a.put(item, key, old, at)
	}
	for _, id := range batch.kept {
		if old, at := a.tx.Find(id.Key); at.Exists() && old.GetUID() == id.UID {
			seen[id.Key] = struct{}{}
			a.outlive(id.Key)
		}
	}
	for _, obj := range slices.Collect(before.InNamespace(batch.Namespace)) { // a loop over the sequence would put a on the heap, always
		key := KeyOf(obj)
		if _, ok := seen[key]; !ok {
			_, at := a.tx.Find(key)
			a.miss(obj, at)
		}
	}
}
