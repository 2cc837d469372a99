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

func (x *Index[T, V]) insert(key types.NamespacedName, obj T) *IndexError {
	values, err := x.valuesOf(key, obj)
	if err != nil || len(values) == 0 {
		return err
	}
	x.values[key] = values
	for _, value := range values {
		if x.members[value] == nil {
			x.members[value] = make(map[types.NamespacedName]T)
		}
		x.members[value][key] = obj
	}
	return nil
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

// valuesOf calls the user's function and turns a panic into an error.
func (x *Index[T, V]) valuesOf(key types.NamespacedName, obj T) (values []V, err *IndexError) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &IndexError{Index: x.name, Key: key, Cause: fmt.Sprint(cause)}
		}
	}()
	return x.compute(obj), nil
}
