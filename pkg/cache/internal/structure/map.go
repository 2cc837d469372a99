package structure

import (
	"reflect"
	"slices"
	"unsafe"
)

// A mapNode walks a map from strings to V. No parts are looked for in the values.
type mapNode[V any] struct {
	values values[V]
	salt   uint64
	luck   luck
}

// values says what to do with the values of a map, which have no address.
type values[V any] interface {
	hash(v V, s *scan) uint64
	equal(a, b V) bool
	intern(v V, t *table) V
}

func (n *mapNode[V]) hash(p unsafe.Pointer, s *scan) uint64 {
	m := *at[map[string]V](p)
	if len(m) == 0 {
		return n.salt
	}
	index, outer, _ := s.begin()
	sum := uint64(len(m))
	for key, value := range m {
		sum += mix(s.string(key), n.values.hash(value, s)) // in any order
	}
	return s.finish(index, outer, mix(n.salt, sum))
}

func (n *mapNode[V]) equal(a, b unsafe.Pointer) bool {
	if *at[unsafe.Pointer](a) == *at[unsafe.Pointer](b) {
		return true
	}
	x, y := *at[map[string]V](a), *at[map[string]V](b)
	if len(x) != len(y) || (x == nil) != (y == nil) {
		return false
	}
	for key, value := range x {
		if found, ok := y[key]; !ok || !n.values.equal(value, found) {
			return false
		}
	}
	return true
}

func (n *mapNode[V]) share(p unsafe.Pointer, w *walk) {
	m := *at[map[string]V](p)
	if len(m) == 0 {
		return
	}
	r, ok := w.begin()
	defer w.finish()
	if !ok || w.replacePointer(p, r, n, &n.luck) {
		return
	}
	for key, value := range m {
		known, _ := w.table.intern(key)
		m[known] = n.values.intern(value, w.table) // also replaces the key's string
	}
	w.rememberPointer(p, r, n)
}

type texts struct{}

func (texts) hash(v string, s *scan) uint64 { return s.string(v) }
func (texts) equal(a, b string) bool        { return a == b }
func (texts) intern(v string, table *table) string {
	known, _ := table.intern(v)
	return known
}

type blobs struct{}

func (blobs) hash(v []byte, s *scan) uint64    { return s.bytes(v) }
func (blobs) equal(a, b []byte) bool           { return equalBytes(a, b) }
func (blobs) intern(v []byte, _ *table) []byte { return slices.Clip(v) } // nobody appends to what others share

// Readers of a map get copies of its quantities, so none of them writes into those in the map.
type quantities struct{}

func (quantities) hash(v quantity, s *scan) uint64 {
	return hashQuantity(&v, s)
}
func (quantities) equal(a, b quantity) bool             { return a == b }
func (quantities) intern(v quantity, _ *table) quantity { return v }

// An otherMapNode walks any map, by reflection, and as a whole.
type otherMapNode struct {
	typ       reflect.Type
	key, elem node
	salt      uint64
	luck      luck
}

func (n *otherMapNode) hash(p unsafe.Pointer, s *scan) uint64 {
	m := reflect.NewAt(n.typ, p).Elem()
	if m.Len() == 0 {
		return n.salt
	}
	index, outer, ok := s.begin()
	sum := uint64(m.Len())
	key, elem := reflect.New(n.typ.Key()), reflect.New(n.typ.Elem())
	for entries := m.MapRange(); ok && entries.Next(); {
		key.Elem().SetIterKey(entries)
		elem.Elem().SetIterValue(entries)
		sum += mix(n.key.hash(key.UnsafePointer(), s), n.elem.hash(elem.UnsafePointer(), s))
	}
	s.records = s.records[:index+1] // what is within is not shared
	return s.finish(index, outer, mix(n.salt, sum))
}

func (n *otherMapNode) equal(a, b unsafe.Pointer) bool {
	x, y := reflect.NewAt(n.typ, a).Elem(), reflect.NewAt(n.typ, b).Elem()
	if x.Len() != y.Len() || x.IsNil() != y.IsNil() {
		return false
	}
	elem, found := reflect.New(n.typ.Elem()), reflect.New(n.typ.Elem())
	for entries := x.MapRange(); entries.Next(); {
		value := y.MapIndex(entries.Key())
		if !value.IsValid() {
			return false
		}
		elem.Elem().SetIterValue(entries)
		found.Elem().Set(value)
		if !n.elem.equal(elem.UnsafePointer(), found.UnsafePointer()) {
			return false
		}
	}
	return true
}

func (n *otherMapNode) share(p unsafe.Pointer, w *walk) {
	if reflect.NewAt(n.typ, p).Elem().Len() == 0 {
		return
	}
	r, ok := w.begin()
	defer w.finish()
	if ok && !w.replacePointer(p, r, n, &n.luck) {
		w.rememberPointer(p, r, n)
	}
}
