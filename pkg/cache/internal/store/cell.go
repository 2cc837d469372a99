package store

import (
	"math"
	"reflect"
	"sync/atomic"
	"unsafe"
)

// A cell says which object there is since a transaction, or that there is none. It is read while it is changed.
//
// What is written first is read last: when since is not newer than a reader's snapshot, what was read before is not, either.
type cell[T comparable] struct {
	object unsafe.Pointer // is the object when that is a pointer, else is to it
	since  atomic.Uint64
}

// never is the time since which there is what no snapshot has.
const never = math.MaxUint64

// get returns the object, if there is one.
func (c *cell[T]) get(arePointers bool) (obj T, there bool) {
	pointer := atomic.LoadPointer(&c.object)
	switch {
	case pointer == nil:
		return obj, false
	case arePointers:
		return *(*T)(unsafe.Pointer(&pointer)), true
	default:
		return *(*T)(pointer), true
	}
}

func (c *cell[T]) set(obj T, since uint64, arePointers bool) {
	c.since.Store(since)
	if arePointers {
		atomic.StorePointer(&c.object, *(*unsafe.Pointer)(unsafe.Pointer(&obj)))
	} else {
		atomic.StorePointer(&c.object, unsafe.Pointer(new(obj)))
	}
}

// clear says that there is no object.
func (c *cell[T]) clear(since uint64) {
	c.since.Store(since)
	atomic.StorePointer(&c.object, nil)
}

func isPointer[T any]() bool { return reflect.TypeFor[T]().Kind() == reflect.Pointer }
