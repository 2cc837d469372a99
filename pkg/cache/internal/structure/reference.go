package structure

import (
	"bytes"
	"reflect"
	"unsafe"
)

// A pointerNode walks a pointer.
type pointerNode struct {
	elem node
	salt uint64
	luck luck
}

func (n *pointerNode) hash(p unsafe.Pointer, s *scan) uint64 {
	target := *at[unsafe.Pointer](p)
	if target == nil {
		return n.salt
	}
	index, outer, ok := s.begin()
	sum := n.salt + 1
	if ok {
		sum = mix(sum, n.elem.hash(target, s))
	}
	return s.finish(index, outer, sum)
}

func (n *pointerNode) equal(a, b unsafe.Pointer) bool {
	x, y := *at[unsafe.Pointer](a), *at[unsafe.Pointer](b)
	if x == y || x == nil || y == nil {
		return x == y
	}
	return n.elem.equal(x, y)
}

func (n *pointerNode) share(p unsafe.Pointer, w *walk) {
	target := *at[unsafe.Pointer](p)
	if target == nil {
		return
	}
	r, ok := w.begin()
	defer w.finish()
	if !ok || w.replacePointer(p, r, n, &n.luck) {
		return
	}
	n.elem.share(target, w)
	w.rememberPointer(p, r, n)
}

// A header is the layout of a slice.
type header struct {
	data     unsafe.Pointer
	len, cap int
}

// A sliceNode walks a slice.
type sliceNode struct {
	typ  reflect.Type
	elem node
	size uintptr // of an element
	salt uint64
	luck luck
}

func (n *sliceNode) hash(p unsafe.Pointer, s *scan) uint64 {
	h := at[header](p)
	if h.len == 0 || n.size == 0 {
		return n.salt
	}
	index, outer, ok := s.begin()
	sum := n.salt ^ uint64(h.len)
	for i := 0; ok && i < h.len; i++ {
		sum = mix(sum, n.elem.hash(unsafe.Add(h.data, uintptr(i)*n.size), s))
	}
	return s.finish(index, outer, sum)
}

func (n *sliceNode) equal(a, b unsafe.Pointer) bool {
	x, y := at[header](a), at[header](b)
	if x.len != y.len || (x.data == nil) != (y.data == nil) {
		return false
	}
	return x.data == y.data || n.equalElements(x, y)
}

func (n *sliceNode) equalElements(x, y *header) bool {
	for i := range uintptr(x.len) {
		if !n.elem.equal(unsafe.Add(x.data, i*n.size), unsafe.Add(y.data, i*n.size)) {
			return false
		}
	}
	return true
}

func (n *sliceNode) share(p unsafe.Pointer, w *walk) {
	h := at[header](p)
	if h.len == 0 || n.size == 0 {
		w.clip(h)
		return
	}
	r, ok := w.begin()
	defer w.finish()
	if !ok || w.replaceSlice(h, r, n, &n.luck) {
		return
	}
	if !w.strings {
		n.compact(p)
	}
	w.clip(h)
	for i := range uintptr(h.len) {
		n.elem.share(unsafe.Add(h.data, i*n.size), w)
	}
	w.rememberSlice(h, r, n)
}

// wasted is how many bytes of capacity a slice may keep.
const wasted = 64

// compact moves a slice to an array of its length, if much of the one that it is in is empty.
func (n *sliceNode) compact(p unsafe.Pointer) {
	h := at[header](p)
	if uintptr(h.cap-h.len)*n.size < wasted {
		return
	}
	moved := reflect.MakeSlice(n.typ, h.len, h.len)
	reflect.Copy(moved, reflect.NewAt(n.typ, p).Elem())
	*h = header{data: moved.UnsafePointer(), len: h.len, cap: h.len}
}

// A bytesNode walks a slice of bytes.
type bytesNode struct {
	salt uint64
	luck luck
}

func (n *bytesNode) hash(p unsafe.Pointer, s *scan) uint64 {
	v := *at[[]byte](p)
	if len(v) == 0 {
		return n.salt
	}
	index, outer, _ := s.begin()
	return s.finish(index, outer, mix(n.salt, s.bytes(v)))
}

func (n *bytesNode) equal(a, b unsafe.Pointer) bool {
	return equalBytes(*at[[]byte](a), *at[[]byte](b))
}

func equalBytes(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

func (n *bytesNode) share(p unsafe.Pointer, w *walk) {
	h := at[header](p)
	if h.len == 0 {
		w.clip(h)
		return
	}
	r, ok := w.begin()
	defer w.finish()
	if ok && !w.replaceSlice(h, r, n, &n.luck) {
		w.clip(h)
		w.rememberSlice(h, r, n)
	}
}
