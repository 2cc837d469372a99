package structure

import (
	"math"
	"slices"
	"unsafe"
)

// An anyNode walks a JSON value as an unstructured object has it: nil, bool, int64, float64, string, []any,
// map[string]any. It does not understand others.
type anyNode struct{}

// What the kinds of JSON values differ by.
const (
	saltNil    = 0x2d358dccaa6c78a5
	saltBool   = 0x8bb84b93962eacc9
	saltInt    = 0x4b33a62ed433d4a3
	saltFloat  = 0x4d5a2da51de1aa47
	saltString = 0xa0d3b1a8e8d5d1f7
	saltSlice  = 0x9fb21c651e98df25
	saltMap    = 0xd6e8feb86659fd93
)

func (anyNode) hash(p unsafe.Pointer, s *scan) uint64 { return s.json(*at[any](p)) }
func (anyNode) equal(a, b unsafe.Pointer) bool        { return equalJSON(*at[any](a), *at[any](b)) }
func (anyNode) share(p unsafe.Pointer, w *walk)       { w.json(at[any](p)) }

func (s *scan) json(value any) uint64 {
	switch v := value.(type) {
	case nil:
		return saltNil
	case bool:
		if v {
			return saltBool + 1
		}
		return saltBool
	case int64:
		return mix(saltInt, uint64(v))
	case float64:
		return mix(saltFloat, math.Float64bits(v))
	case string:
		return mix(saltString, s.string(v))
	case []any:
		return s.jsonSlice(v)
	case map[string]any:
		return s.jsonMap(v)
	default:
		s.broken = true
		return 0
	}
}

func (s *scan) jsonSlice(v []any) uint64 {
	if len(v) == 0 {
		return saltSlice
	}
	index, outer, ok := s.begin()
	sum := saltSlice ^ uint64(len(v))
	for i := 0; ok && i < len(v); i++ {
		sum = mix(sum, s.json(v[i]))
	}
	return s.finish(index, outer, sum)
}

func (s *scan) jsonMap(v map[string]any) uint64 {
	if len(v) == 0 {
		return saltMap
	}
	index, outer, ok := s.begin()
	sum := uint64(len(v))
	if ok {
		for key, value := range v {
			sum += mix(s.string(key), s.member(key, value)) // in any order
		}
	}
	return s.finish(index, outer, mix(saltMap, sum))
}

// member returns the hash of a value in a map. Its record, if it is a part, says where it is.
func (s *scan) member(key string, value any) uint64 {
	index := len(s.records)
	sum := s.json(value)
	if len(s.records) > index {
		s.records[index].key = key
	}
	return sum
}

func equalJSON(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && equalJSONSlices(x, y)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && equalJSONMaps(x, y)
	case float64:
		y, ok := b.(float64)
		return ok && math.Float64bits(x) == math.Float64bits(y)
	case nil, bool, int64, string:
		return a == b
	default:
		return false
	}
}

func equalJSONSlices(a, b []any) bool {
	if len(a) != len(b) || (a == nil) != (b == nil) {
		return false
	}
	if unsafe.SliceData(a) == unsafe.SliceData(b) {
		return true
	}
	for i := range a {
		if !equalJSON(a[i], b[i]) {
			return false
		}
	}
	return true
}

func equalJSONMaps(a, b map[string]any) bool {
	if *at[unsafe.Pointer](unsafe.Pointer(&a)) == *at[unsafe.Pointer](unsafe.Pointer(&b)) {
		return true
	}
	if len(a) != len(b) || (a == nil) != (b == nil) {
		return false
	}
	for key, value := range a {
		if found, ok := b[key]; !ok || !equalJSON(value, found) {
			return false
		}
	}
	return true
}

// json replaces the parts of a JSON value, and the value itself if it is one, or a string.
func (w *walk) json(value *any) {
	switch v := (*value).(type) {
	case string:
		*value = w.table.internBox(v, *value)
	case []any:
		switch {
		case len(v) > 0:
			w.jsonPart(value)
		case cap(v) > 0 && !w.strings:
			*value = []any{}
		}
	case map[string]any:
		if len(v) > 0 {
			w.jsonPart(value)
		}
	}
}

func (w *walk) jsonPart(value *any) {
	r, ok := w.begin()
	defer w.finish()
	if !ok || r.equal && w.replaceJSON(value, r) {
		return
	}
	switch v := (*value).(type) {
	case []any:
		w.elements(v)
		if !w.strings && len(v) < cap(v) {
			*value = slices.Clip(v)
		}
	case map[string]any:
		w.members(v, r.end)
	}
	w.remember(r, part{node: anyNode{}, data: at[eface](unsafe.Pointer(value)).data, len: kindOf(*value)})
}

// An eface is the layout of an interface without methods. Its data is a map, or points at a slice.
type eface struct {
	_, data unsafe.Pointer
}

// replaceJSON replaces a slice or a map by an equal one that is known.
func (w *walk) replaceJSON(value *any, r *record) bool {
	found, ok := w.table.find(r.hash, anyNode{})
	if !ok || found.len != kindOf(*value) {
		return false
	}
	known := *value
	at[eface](unsafe.Pointer(&known)).data = found.data
	if !equalJSON(*value, known) {
		return false
	}
	*value = known
	w.next = r.end
	return true
}

// kindOf tells slices from maps, for which the data of an eface is not the same kind of pointer.
func kindOf(value any) int {
	if _, ok := value.([]any); ok {
		return 1
	}
	return 0
}

func (w *walk) elements(v []any) {
	for i := range v {
		w.json(&v[i])
	}
}

// members replaces the parts of a map's values, of which the records go up to end, and its keys and strings, but for the
// values at the keys of own.
func (w *walk) members(m map[string]any, end int, own ...string) {
	for w.next < end {
		key := w.records[w.next].key
		value := m[key]
		w.json(&value)
		m[key] = value
	}
	for key, value := range m {
		if (w.strings || loose(value)) && !slices.Contains(own, key) {
			w.json(&value)
		}
		known, _ := w.table.intern(key)
		m[known] = value // also replaces the key's string
	}
}

// loose says whether a value that is no part is one to replace: a string, or an empty slice with room to append.
func loose(value any) bool {
	switch v := value.(type) {
	case string:
		return true
	case []any:
		return len(v) == 0 && cap(v) > 0
	default:
		return false
	}
}
