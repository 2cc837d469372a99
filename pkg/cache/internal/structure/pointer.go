package structure

import "unsafe"

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
