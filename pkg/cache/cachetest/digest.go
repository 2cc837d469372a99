package cachetest

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"k8s.io/apimachinery/pkg/api/resource"
)

// A digest is a hash of each value that is reachable from an object, with a hash of the path to it, sorted: the entries of
// a map come in any order.
type digest []leaf

type leaf struct{ path, value uint64 }

func compareLeaves(a, b leaf) int {
	return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.value, b.value))
}

// firstDigest returns the digest of an object that nobody else has yet.
func firstDigest(seed maphash.Seed, v reflect.Value) digest {
	w := newWalker(seed)
	w.settle = true
	return w.digest(v)
}

func digestOf(seed maphash.Seed, v reflect.Value) digest {
	return newWalker(seed).digest(v)
}

// changes returns the paths of what is in v now and was not, or not so, when d was made, sorted. What is gone is seen where
// it was: a list or a map has its length as a value.
func (d digest) changes(seed maphash.Seed, v reflect.Value) []string {
	var paths []string
	w := newWalker(seed)
	w.visit = func(l leaf, path func() string) {
		if _, ok := slices.BinarySearchFunc(d, l, compareLeaves); !ok {
			paths = append(paths, path())
		}
	}
	w.walk(v, nil)
	slices.Sort(paths)
	return slices.Compact(paths)
}

// A walker visits values by reflection, which also reads unexported fields.
type walker struct {
	seed   maphash.Seed
	settle bool // have quantities take note of their text, so that nobody who reads them writes
	visit  func(l leaf, path func() string)
	inside map[target]bool // those that the walk is in, from which a cycle leads back
}

// A target is what a pointer points at. A struct has the address of its first field.
type target struct {
	address unsafe.Pointer
	typ     reflect.Type
}

func newWalker(seed maphash.Seed) *walker {
	return &walker{seed: seed, inside: make(map[target]bool)}
}

func (w *walker) digest(v reflect.Value) digest {
	var d digest
	w.visit = func(l leaf, _ func() string) { d = append(d, l) }
	w.walk(v, nil)
	slices.SortFunc(d, compareLeaves)
	return d
}

// A step is one of the path to a value.
type step struct {
	parent *step
	name   string // as in the path, with its separator
	hash   uint64
	depth  int
}

// deepest is how far a walk goes, where values are in themselves.
const deepest = 200

func (w *walker) step(parent *step, name string) *step {
	s := &step{parent: parent, name: name, hash: maphash.String(w.seed, name)}
	if parent != nil {
		s.hash = w.combine(parent.hash, s.hash)
		s.depth = parent.depth + 1
	}
	return s
}

func (s *step) path() string {
	var names []string
	for ; s != nil; s = s.parent {
		names = append(names, s.name)
	}
	slices.Reverse(names)
	return strings.TrimPrefix(strings.Join(names, ""), ".")
}

func (w *walker) combine(a, b uint64) uint64 {
	var buffer [16]byte
	binary.LittleEndian.PutUint64(buffer[:8], a)
	binary.LittleEndian.PutUint64(buffer[8:], b)
	return maphash.Bytes(w.seed, buffer[:])
}

func (w *walker) leaf(at *step, value uint64) {
	var hash uint64
	if at != nil {
		hash = at.hash
	}
	w.visit(leaf{path: hash, value: value}, at.path)
}

func (w *walker) walk(v reflect.Value, at *step) {
	if at != nil && at.depth > deepest {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		w.walkTarget(v, at)
	case reflect.Struct:
		w.walkStruct(v, at)
	case reflect.Slice, reflect.Array:
		w.walkList(v, at)
	case reflect.Map:
		w.walkMap(v, at)
	default:
		w.leaf(at, w.scalar(v))
	}
}

// scalar returns the hash of a value that holds no others.
func (w *walker) scalar(v reflect.Value) uint64 {
	switch v.Kind() {
	case reflect.String:
		return maphash.String(w.seed, v.String())
	case reflect.Bool:
		if v.Bool() {
			return 1
		}
		return 0
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return uint64(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return v.Uint()
	case reflect.Float32, reflect.Float64:
		return math.Float64bits(v.Float())
	case reflect.Complex64, reflect.Complex128:
		return w.combine(math.Float64bits(real(v.Complex())), math.Float64bits(imag(v.Complex())))
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return uint64(v.Pointer())
	default:
		return 0
	}
}

// walkTarget visits what a pointer points at or an interface holds, and the type of the latter.
func (w *walker) walkTarget(v reflect.Value, at *step) {
	if v.IsNil() {
		w.leaf(at, 0)
		return
	}
	if v.Kind() == reflect.Interface {
		w.leaf(w.step(at, ""), maphash.String(w.seed, v.Elem().Type().String()))
		w.walk(v.Elem(), at)
		return
	}
	to := target{v.UnsafePointer(), v.Type()}
	if w.inside[to] {
		return
	}
	w.inside[to] = true
	defer delete(w.inside, to)
	w.walk(v.Elem(), at)
}

func (w *walker) walkStruct(v reflect.Value, at *step) {
	switch v.Type() {
	case reflect.TypeFor[resource.Quantity]():
		w.leaf(at, w.quantity(v))
		return
	case reflect.TypeFor[time.Time]():
		w.leaf(at, w.time(v))
		return
	}
	for f, value := range v.Fields() {
		if f.IsExported() || !isMessage(v.Type()) {
			w.walk(value, w.fieldStep(at, f))
		}
	}
}

// isMessage says whether a struct is a message of google.golang.org/protobuf. Its unexported fields change when it is
// read, and lead to all that is known of messages.
func isMessage(t reflect.Type) bool {
	_, ok := reflect.PointerTo(t).MethodByName("ProtoReflect")
	return ok
}

// fieldStep returns the step to a field, by its name in JSON if it has one. Inlined fields are no step.
func (w *walker) fieldStep(at *step, f reflect.StructField) *step {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case name == "" && (options == "inline" || f.Anonymous):
		return at
	case name == "" || name == "-":
		name = f.Name
	}
	return w.step(at, "."+name)
}

// walkList visits the elements of a list, and before them its length and whether it is nil.
func (w *walker) walkList(v reflect.Value, at *step) {
	w.leaf(at, w.size(v))
	if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
		w.leaf(w.step(at, ""), maphash.Bytes(w.seed, v.Bytes()))
		return
	}
	for i := range v.Len() {
		w.walk(v.Index(i), w.step(at, "["+strconv.Itoa(i)+"]"))
	}
}

func (w *walker) walkMap(v reflect.Value, at *step) {
	w.leaf(at, w.size(v))
	for entries := v.MapRange(); entries.Next(); {
		w.walk(entries.Value(), w.step(at, "["+keyName(entries.Key())+"]"))
	}
}

// keyName returns what a key is called in a path.
func keyName(key reflect.Value) string {
	if key.Kind() == reflect.String {
		return strconv.Quote(key.String())
	}
	return fmt.Sprint(key)
}

func (w *walker) size(v reflect.Value) uint64 {
	if v.Kind() != reflect.Array && v.IsNil() {
		return math.MaxUint64
	}
	return uint64(v.Len())
}

// quantity returns the hash of a quantity's value, which stays the same when it takes note of its text.
func (w *walker) quantity(v reflect.Value) uint64 {
	if !v.CanInterface() {
		return 0
	}
	if w.settle && v.CanAddr() {
		_ = v.Addr().Interface().(*resource.Quantity).String()
	}
	q := v.Interface().(resource.Quantity).DeepCopy()
	return w.combine(maphash.String(w.seed, q.String()), maphash.String(w.seed, string(q.Format)))
}

func (w *walker) time(v reflect.Value) uint64 {
	if !v.CanInterface() {
		return 0
	}
	t := v.Interface().(time.Time)
	return w.combine(uint64(t.UnixNano()), maphash.String(w.seed, t.Location().String()))
}
