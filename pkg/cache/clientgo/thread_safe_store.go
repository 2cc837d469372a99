package clientgo

import (
	"k8s.io/client-go/tools/cache"

	engine "github.com/sluice-k8s/sluice/pkg/cache"
)

// NewThreadSafeStore returns an empty store that is told the keys of its objects. It is a
// [cache.ThreadSafeStoreWithTransaction] too. Its methods may be called concurrently. It keeps no reference to the map of
// indexers; what indices hold, which nobody outside client-go can fill, is ignored.
func NewThreadSafeStore(indexers cache.Indexers, _ cache.Indices) cache.ThreadSafeStore {
	return &threadSafeStore{newContents(indexers)}
}

// A threadSafeStore is contents that are told the keys.
type threadSafeStore struct{ *contents }

var _ cache.ThreadSafeStoreWithTransaction = (*threadSafeStore)(nil)

// Add adds or replaces the object with the key.
func (s *threadSafeStore) Add(key string, obj any) { s.put(parseKey(key), obj) }

// Update is Add.
func (s *threadSafeStore) Update(key string, obj any) { s.Add(key, obj) }

// Delete removes the object with the key, if there is one.
func (s *threadSafeStore) Delete(key string) { s.remove(parseKey(key), nil) }

// DeleteWithObject is Delete, and obj tells the version.
func (s *threadSafeStore) DeleteWithObject(key string, obj any) { s.remove(parseKey(key), obj) }

// Get returns the object with the key, and whether there is one.
func (s *threadSafeStore) Get(key string) (item any, exists bool) { return s.get(key) }

// Replace makes items all objects there are.
func (s *threadSafeStore) Replace(items map[string]any, version string) {
	objects := make([]*object, 0, len(items))
	for key, obj := range items {
		objects = append(objects, newObject(parseKey(key), obj))
	}
	s.replace(objects, version)
}

// Transaction does several writes as one.
func (s *threadSafeStore) Transaction(transactions ...cache.ThreadSafeStoreTransaction) {
	deltas := make([]engine.Delta[*object], 0, len(transactions))
	for _, transaction := range transactions {
		deltas = append(deltas, deltaOf(transaction.Key, transaction.Transaction))
	}
	s.transact(deltas)
}
