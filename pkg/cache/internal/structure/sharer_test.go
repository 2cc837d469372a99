package structure

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// share shares what is in two values, and fails if one of them changes for readers.
func share[T any](t *testing.T, a, b *T) {
	t.Helper()
	sharer, ok := NewSharer(reflect.TypeFor[T](), 1024)
	if !ok {
		t.Fatalf("%T is not understood", *a)
	}

	sharer.Share(unsafe.Pointer(a))
	sharer.Share(unsafe.Pointer(b))
}

type tree struct {
	Name     string
	Left     *tree
	Pair     *pair
	Children []tree
}

type pair struct{ A, B tree }

func TestTypesWithinThemselves(t *testing.T) {
	newTree := func() *tree {
		return &tree{Left: &tree{Name: "l", Children: []tree{{Name: "c"}}}, Pair: &pair{A: tree{Name: "a"}, B: tree{Left: &tree{}}}}
	}
	a, b := newTree(), newTree()
	share(t, a, b)
	if a.Left != b.Left || a.Pair != b.Pair || !reflect.DeepEqual(b, newTree()) {
		t.Errorf("got %+v and %+v", a, b)
	}
}

// A value within itself, which no decoder makes, is left alone where it gets too deep.
func TestCycles(t *testing.T) {
	newCycle := func() *tree {
		c := &tree{Name: "c", Children: []tree{{Name: "d"}}}
		c.Left = c
		return c
	}
	a, b := newCycle(), newCycle()
	share(t, a, b)
	if a.Left != a || b.Left != b {
		t.Error("a cycle was broken")
	}
	sharer, _ := NewSharer(reflect.TypeFor[tree](), 1024)
	sharer.Intern(unsafe.Pointer(newCycle()))

	cycle := map[string]any{"a": []any{"b"}}
	cycle["self"] = cycle
	json := NewJSONSharer(1024)
	json.ShareJSON(cycle)
	json.InternJSON(cycle)
}

type hidden struct{ n int }

// A part that holds what is not understood stays apart; what is beside it is shared.
func TestWhatIsNotUnderstood(t *testing.T) {
	type holder struct {
		Hidden  *hidden
		Slice   []hidden
		Array   *[2]int
		Func    func()
		Error   *struct{ Err error }
		Any     *struct{ Value any }
		Channel *struct{ C chan int }
		Beside  *string
		Within  *struct {
			Hidden hidden
			Beside []string
		}
	}
	newHolder := func() *holder {
		h := &holder{
			Hidden: &hidden{1}, Slice: []hidden{{1}}, Array: &[2]int{1}, Func: func() {}, Error: &struct{ Err error }{fmt.Errorf("e")},
			Any: &struct{ Value any }{int8(1)}, Channel: &struct{ C chan int }{make(chan int)}, Beside: new("beside"),
		}
		h.Within = &struct {
			Hidden hidden
			Beside []string
		}{hidden{1}, []string{"b"}}
		return h
	}
	a, b := newHolder(), newHolder()
	share(t, a, b)
	if a.Hidden == b.Hidden || &a.Slice[0] == &b.Slice[0] || a.Array == b.Array || a.Error == b.Error || a.Any == b.Any ||
		a.Channel == b.Channel || a.Within == b.Within {
		t.Error("what is not understood is shared")
	}
	if a.Beside != b.Beside || &a.Within.Beside[0] != &b.Within.Beside[0] {
		t.Error("what is beside it is not shared")
	}
}

type kinds struct {
	Strings map[string]string
	Blobs   map[string][]byte
	Structs map[string]tree
	Numbers map[int16]uint8
	Any     any
	Bytes   []byte
	Times   []time.Time
	Floats  []float64
	Empty   []struct{}
	Words   []int16
	Inner   *inner
}

type inner struct {
	Strings map[string]string
	Numbers map[int16]uint8
	Words   []int16
}

func newKinds() *kinds {
	return &kinds{
		Strings: map[string]string{"a": "b"}, Blobs: map[string][]byte{"a": []byte("b"), "n": nil},
		Structs: map[string]tree{"a": {Left: &tree{Name: "l"}}, "b": {}}, Numbers: map[int16]uint8{1: 2, 2: 3},
		Any: map[string]any{"a": []any{int64(1), 1.5, true, nil, "s", map[string]any{}}}, Bytes: []byte("bytes"),
		Times: []time.Time{time.Unix(1, 2)}, Floats: []float64{0.5, -1}, Empty: make([]struct{}, 2), Words: []int16{1, -1}, Inner: &inner{},
	}
}

func TestAllKindsAreShared(t *testing.T) {
	a, b := newKinds(), newKinds()
	share(t, a, b)
	if !reflect.DeepEqual(a, newKinds()) || !reflect.DeepEqual(b, newKinds()) {
		t.Fatalf("changed: %+v and %+v", a, b)
	}
	x, y := reflect.ValueOf(*a), reflect.ValueOf(*b)
	for i := range x.NumField() {
		f, g := x.Field(i), y.Field(i)
		if f.Kind() == reflect.Interface {
			f, g = f.Elem(), g.Elem()
		}
		if f.Pointer() != g.Pointer() && f.Type() != reflect.TypeFor[[]struct{}]() {
			t.Errorf("%s is not shared", x.Type().Field(i).Name)
		}
	}
}

// Values that differ in one thing stay apart, also where == says that they are equal.
func TestNearlyEqual(t *testing.T) {
	zero := 0.0
	for name, change := range map[string]func(*kinds){
		"a value":           func(k *kinds) { k.Strings["a"] = "c" },
		"a key":             func(k *kinds) { delete(k.Strings, "a"); k.Strings["b"] = "b" },
		"nil and empty":     func(k *kinds) { k.Blobs["n"] = []byte{} },
		"deep in a map":     func(k *kinds) { k.Structs["a"].Left.Name = "r" },
		"a number":          func(k *kinds) { k.Numbers[1] = 3 },
		"int and float":     func(k *kinds) { k.Any.(map[string]any)["a"].([]any)[0] = 1.0 },
		"nil in JSON":       func(k *kinds) { k.Any.(map[string]any)["a"].([]any)[5] = map[string]any(nil) },
		"slice and map":     func(k *kinds) { k.Any.(map[string]any)["a"].([]any)[5] = []any{} },
		"bytes":             func(k *kinds) { k.Bytes[0] = 'B' },
		"a time's location": func(k *kinds) { k.Times[0] = k.Times[0].UTC() },
		"a sign":            func(k *kinds) { k.Floats[1] = 1 },
		"length":            func(k *kinds) { k.Words = k.Words[:1] },
		"zeroes":            func(k *kinds) { k.Floats[0] = -zero },
	} {
		t.Run(name, func(t *testing.T) {
			a, b, want := newKinds(), newKinds(), newKinds()
			change(b)
			change(want)
			share(t, a, b)
			if !reflect.DeepEqual(b, want) || !reflect.DeepEqual(a, newKinds()) {
				t.Errorf("changed: %+v and %+v", a, b)
			}
		})
	}
}

// Equal hashes are not taken for equality: where all values at one place have the same hash, nothing gets mixed up.
func TestCollisions(t *testing.T) {
	sharer, _ := NewSharer(reflect.TypeFor[kinds](), 1024)
	inners := []inner{{}, {Strings: map[string]string{}}, {Numbers: map[int16]uint8{}}, {Words: []int16{}}}
	for i := range 50 {
		k, want := newKinds(), newKinds()
		for _, k := range []*kinds{k, want} {
			k.Strings["a"], k.Bytes[0], *k.Inner = fmt.Sprint(i%3), byte(i%5), inners[i%len(inners)]
		}
		shareColliding(sharer, k)
		if !reflect.DeepEqual(k, want) {
			t.Fatalf("changed: %+v", k)
		}
	}
}

func shareColliding(s *Sharer, k *kinds) {
	both := s.begin()
	for _, part := range s.root.parts {
		part.node.hash(unsafe.Add(unsafe.Pointer(k), part.offset), &both.scan)
	}
	for i := range both.scan.records {
		both.scan.records[i].hash = uint64(i)<<33 | 1 // of all values at one place
	}
	s.root.share(unsafe.Pointer(k), both.second(&s.table))
	s.finish(both)
}

// However many different values come, the tables stay within their limit.
func TestTablesAreBounded(t *testing.T) {
	const limit = 256
	sharer, _ := NewSharer(reflect.TypeFor[kinds](), limit)
	json := NewJSONSharer(limit)
	for i := range 5000 {
		k := newKinds()
		k.Strings["a"], k.Words[0] = fmt.Sprint(i), int16(i)
		sharer.Share(unsafe.Pointer(k))
		json.ShareJSON(map[string]any{"a": map[string]any{fmt.Sprint(i): fmt.Sprint(i)}})
		for _, s := range []*Sharer{sharer, json} {
			if parts, texts := s.Len(); parts > limit || texts > 2*limit {
				t.Fatalf("%d parts and %d strings", parts, texts)
			}
		}
	}
}

// What is different in all objects is not even remembered after a while, and found again when it recurs.
func TestLuck(t *testing.T) {
	sharer, _ := NewSharer(reflect.TypeFor[kinds](), 16384)
	for i := range 3 * patience {
		sharer.Share(unsafe.Pointer(&kinds{Bytes: fmt.Append(nil, i)}))
	}
	if parts, _ := sharer.Len(); parts < patience || parts > patience+2*patience/nth+1 {
		t.Errorf("%d parts are remembered", parts)
	}
	last := &kinds{Bytes: []byte("again")}
	for range 2*nth + 1 {
		sharer.Share(unsafe.Pointer(last))
		last = &kinds{Bytes: []byte("again")}
	}
	again := &kinds{Bytes: []byte("again")}
	sharer.Share(unsafe.Pointer(last))
	sharer.Share(unsafe.Pointer(again))
	if &last.Bytes[0] != &again.Bytes[0] {
		t.Error("what recurs is not shared")
	}
}

// An int has 4 bytes on some machines: what lies behind it is not part of it.
func TestNumbersOfAllSizes(t *testing.T) {
	type numbers struct{ Ints []int }
	newNumbers := func(behind int) *numbers { return &numbers{Ints: []int{1, behind}[:1]} }
	a, b := newNumbers(2), newNumbers(3)
	share(t, a, b)
	if &a.Ints[0] != &b.Ints[0] {
		t.Error("ints are not shared")
	}
}

// A long string is remembered nowhere, also not as the last one of its field.
func TestLongStringsAreNotRemembered(t *testing.T) {
	sharer, _ := NewSharer(reflect.TypeFor[tree](), 1024)
	sharer.Share(unsafe.Pointer(&tree{Name: strings.Repeat("a", maxString+1)}))
	if _, remembered := sharer.Len(); remembered != 0 || sharer.root.texts[0].last != "" {
		t.Errorf("%d strings are remembered, the last one is %q", remembered, sharer.root.texts[0].last)
	}
}
