package cache

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// An Index finds the objects of an [Indexer] by a value computed from them, such as the node of a pod or the UID of an
// owner. Create one with [AddIndex].
type Index[T Object, V comparable] struct {
	indexer *Indexer[T]
	name    string
	compute func(T) []V

	values  map[types.NamespacedName][]V // of each object that has any
	members map[V]map[types.NamespacedName]T
}

// table is an Index whatever its value type. The indexer's lock guards it.
type table[T Object] interface {
	insert(key types.NamespacedName, obj T) *IndexError
	remove(key types.NamespacedName)
}

// AddIndex adds an index to the indexer; objects that are there already are indexed at once. The name appears in errors.
// values returns the values under which an object is found, any number of them. It runs under the indexer's lock: it must
// not call the indexer, nor change the object. An object for which it panics is missing from this index until the object
// changes.
func AddIndex[T Object, V comparable](indexer *Indexer[T], name string, values func(T) []V) *Index[T, V] {
	index := &Index[T, V]{
		indexer: indexer,
		name:    name,
		compute: values,
		values:  make(map[types.NamespacedName][]V),
		members: make(map[V]map[types.NamespacedName]T),
	}
	indexer.mu.Lock()
	defer indexer.mu.Unlock()
	for key, obj := range indexer.objects {
		indexer.insertLocked(index, key, obj)
	}
	indexer.tables = append(indexer.tables, index)
	return index
}

// Lookup yields the objects that have the value when the iteration starts, in no particular order.
func (x *Index[T, V]) Lookup(value V) iter.Seq[T] {
	return func(yield func(T) bool) {
		x.indexer.mu.RLock()
		objects := slices.Collect(maps.Values(x.members[value]))
		x.indexer.mu.RUnlock()
		slices.Values(objects)(yield)
	}
}

// insert turns a panic of the user's function, or of hashing what it returned, into an error.
func (x *Index[T, V]) insert(key types.NamespacedName, obj T) (err *IndexError) {
	defer func() {
		if cause := recover(); cause != nil {
			x.remove(key)
			err = &IndexError{Index: x.name, Key: key, Cause: fmt.Sprint(cause)}
		}
	}()
	for _, value := range x.compute(obj) {
		x.insertValue(key, obj, value)
	}
	return nil
}

func (x *Index[T, V]) insertValue(key types.NamespacedName, obj T, value V) {
	members := x.members[value]
	if members == nil {
		members = make(map[types.NamespacedName]T)
		x.members[value] = members
	}
	members[key] = obj
	x.values[key] = append(x.values[key], value)
}

func (x *Index[T, V]) remove(key types.NamespacedName) {
	for _, value := range x.values[key] {
		delete(x.members[value], key)
		if len(x.members[value]) == 0 {
			delete(x.members, value)
		}
	}
	delete(x.values, key)
}
