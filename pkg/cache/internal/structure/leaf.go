package structure

import (
	"time"
	"unsafe"

	"k8s.io/apimachinery/pkg/api/resource"
)

type stringNode struct{}

func (stringNode) hash(p unsafe.Pointer, s *scan) uint64 { return s.string(*at[string](p)) }
func (stringNode) equal(a, b unsafe.Pointer) bool        { return *at[string](a) == *at[string](b) }

func (stringNode) share(p unsafe.Pointer, w *walk) {
	old := at[string](p)
	if known, _ := w.table.intern(*old); unsafe.StringData(known) != unsafe.StringData(*old) {
		*old = known
	}
}

// A textField is a string in a struct.
type textField struct {
	offset uintptr
	last   string // that was known there
	luck   luck
}

// share does what that of a stringNode does, and faster if the string is the same in most objects or in none.
func (f *textField) share(p unsafe.Pointer, w *walk) {
	old := at[string](p)
	if *old == "" || len(*old) > maxString {
		return
	}
	if *old != f.last {
		if !f.luck.try() {
			return
		}
		known, ok := w.table.intern(*old)
		f.luck.learn(ok)
		f.last = known
	}
	if unsafe.StringData(f.last) != unsafe.StringData(*old) {
		*old = f.last
	}
}

// A byteNode walks a value of 8 bits.
type byteNode struct{}

func (byteNode) hash(p unsafe.Pointer, _ *scan) uint64 { return uint64(*at[uint8](p)) }
func (byteNode) equal(a, b unsafe.Pointer) bool        { return *at[uint8](a) == *at[uint8](b) }
func (byteNode) share(unsafe.Pointer, *walk)           {}

// A wordNode walks a number by its bits, so that 0 and -0 differ, and one that is not a number equals itself.
type wordNode[T uint16 | uint32 | uint64] struct{}

func (wordNode[T]) hash(p unsafe.Pointer, _ *scan) uint64 { return uint64(*at[T](p)) }
func (wordNode[T]) equal(a, b unsafe.Pointer) bool        { return *at[T](a) == *at[T](b) }
func (wordNode[T]) share(unsafe.Pointer, *walk)           {}

// A timeNode walks a time, of which all copies share their location.
type timeNode struct{}

func (timeNode) hash(p unsafe.Pointer, _ *scan) uint64 {
	t := at[time.Time](p)
	return mix(uint64(t.Unix()), uint64(t.Nanosecond()))
}

func (timeNode) equal(a, b unsafe.Pointer) bool {
	return *at[time.Time](a) == *at[time.Time](b) //nolint:staticcheck // equal instants in two locations read differently
}

func (timeNode) share(unsafe.Pointer, *walk) {}

type quantity = resource.Quantity

// A quantityNode walks a quantity. Its String method keeps the text that it has made in the quantity. That is a write,
// and would be a data race between the readers of two objects that share it; so it is called here, before anybody reads.
// Quantities beyond 64 bits hold a pointer of their own, so they never equal others.
type quantityNode struct{}

func (quantityNode) hash(p unsafe.Pointer, s *scan) uint64 {
	q := at[quantity](p)
	_ = q.String()
	return hashQuantity(q, s)
}

// hashQuantity is the same for quantities that are written differently, such as 1 and 1000m, which then displace each
// other in the table; what a server sends is written one way.
func hashQuantity(q *quantity, s *scan) uint64 {
	return mix(uint64(q.MilliValue()), s.string(string(q.Format)))
}

func (quantityNode) equal(a, b unsafe.Pointer) bool { return *at[quantity](a) == *at[quantity](b) }
func (quantityNode) share(unsafe.Pointer, *walk)    {}

// An interfaceNode walks an interface that has methods, which it understands if it is nil.
type interfaceNode struct{}

func (interfaceNode) hash(p unsafe.Pointer, s *scan) uint64 {
	s.broken = s.broken || *at[unsafe.Pointer](p) != nil
	return 0
}

// equal is asked of those that are understood, and thus nil.
func (interfaceNode) equal(a, b unsafe.Pointer) bool {
	return *at[unsafe.Pointer](a) == nil && *at[unsafe.Pointer](b) == nil
}

func (interfaceNode) share(unsafe.Pointer, *walk) {}

// An opaqueNode leaves a value alone.
type opaqueNode struct{}

func (opaqueNode) hash(_ unsafe.Pointer, s *scan) uint64 {
	s.broken = true
	return 0
}

func (opaqueNode) equal(_, _ unsafe.Pointer) bool { return false }
func (opaqueNode) share(unsafe.Pointer, *walk)    {}
