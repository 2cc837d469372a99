package clientgo

import (
	"k8s.io/client-go/tools/cache"

	engine "github.com/sluice-k8s/sluice/pkg/cache"
)

// NewStore returns an empty store that finds the key of an object by keyFunc. It is a [cache.Indexer] and a
// [cache.TransactionStore] too. Its methods may be called concurrently.
func NewStore(keyFunc cache.KeyFunc) cache.Store { return &indexer{newContents(nil), keyFunc} }

// NewIndexer is [NewStore] with indexes. It keeps no reference to the map.
func NewIndexer(keyFunc cache.KeyFunc, indexers cache.Indexers) cache.Indexer {
	return &indexer{newContents(indexers), keyFunc}
}

// An indexer is contents that find the keys of objects by a function.
type indexer struct {
	*contents

	keyFunc cache.KeyFunc
}

var (
	_ cache.Indexer          = (*indexer)(nil)
	_ cache.TransactionStore = (*indexer)(nil)
)

func (i *indexer) keyOf(obj any) (string, error) {
	key, err := i.keyFunc(obj)
	if err != nil {
		return "", cache.KeyError{Obj: obj, Err: err}
	}
	return key, nil
}

// Add adds or replaces an object.
func (i *indexer) Add(obj any) error {
	key, err := i.keyOf(obj)
	if err != nil {
		return err
	}
	i.put(parseKey(key), obj)
	return nil
}

// Update is Add.
func (i *indexer) Update(obj any) error { return i.Add(obj) }

// Delete removes the object with the key of obj, if there is one.
func (i *indexer) Delete(obj any) error {
	key, err := i.keyOf(obj)
	if err != nil {
		return err
	}
	i.remove(parseKey(key), obj)
	return nil
}

// Get returns the object with the key of obj, and whether there is one.
func (i *indexer) Get(obj any) (item any, exists bool, err error) {
	key, err := i.keyOf(obj)
	if err != nil {
		return nil, false, err
	}
	return i.GetByKey(key)
}

// GetByKey returns the object with the key, and whether there is one.
func (i *indexer) GetByKey(key string) (item any, exists bool, err error) {
	item, exists = i.get(key)
	return item, exists, nil
}

// Replace makes list all objects there are; of several with the same key the last. If one has no key, nothing is done.
func (i *indexer) Replace(list []any, version string) error {
	objects := make([]*object, 0, len(list))
	for _, obj := range list {
		key, err := i.keyOf(obj)
		if err != nil {
			return err
		}
		objects = append(objects, newObject(parseKey(key), obj))
	}
	i.replace(objects, version)
	return nil
}

// Transaction does several writes as one, except those whose objects have no key.
func (i *indexer) Transaction(transactions ...cache.Transaction) *cache.TransactionError {
	deltas := make([]engine.Delta[*object], 0, len(transactions))
	failed := cache.TransactionError{SuccessfulIndices: []int{}, TotalTransactions: len(transactions)}
	for n, transaction := range transactions {
		key, err := i.keyOf(transaction.Object)
		if err != nil {
			failed.Errors = append(failed.Errors, err)
			continue
		}
		failed.SuccessfulIndices = append(failed.SuccessfulIndices, n)
		deltas = append(deltas, deltaOf(key, transaction))
	}
	i.transact(deltas)
	if len(failed.Errors) > 0 {
		return &failed
	}
	return nil
}
