package structure

import "unsafe"

// A node walks values of one type. The pointers point at such values.
type node interface {
	// hash returns a hash of the value, and records the parts in it.
	hash(p unsafe.Pointer, s *scan) uint64
	// equal says whether readers can tell a from b. Both are understood.
	equal(a, b unsafe.Pointer) bool
	// share replaces the parts of the value, and the strings that are in none.
	share(p unsafe.Pointer, w *walk)
}

// at returns the value at p, which is of type T or has the layout of one.
func at[T any](p unsafe.Pointer) *T { return (*T)(p) }

// A structNode walks a struct. The fields of structs within are among its own.
type structNode struct {
	state  state
	fields []field
	parts  []field // those that may be or hold parts
	texts  []textField
}

// state says how far the plan for a struct is. One that is within itself, behind a pointer, is met before it is complete.
type state int

const (
	begun state = iota
	complete
	opaque // has unexported fields
)

// A field is one of a struct.
type field struct {
	node   node
	offset uintptr
	salt   uint64
	layout layout
	unique bool // no other value has an equal string there
}

// layout says how to find out quickly whether a field is zero, as most are.
type layout uint8

const (
	other   layout = iota
	text           // a string
	byte8          // a value of 8 bits
	word32         // a value of 32 bits
	word64         // a value of 64 bits
	pointer        // something that is nil if its first word is: a pointer, slice, map or interface
)

func layoutOf(n node) layout {
	switch n.(type) {
	case stringNode:
		return text
	case byteNode:
		return byte8
	case wordNode[uint32]:
		return word32
	case wordNode[uint64]:
		return word64
	case *pointerNode, *sliceNode, *bytesNode, anyNode, interfaceNode, *otherMapNode,
		*mapNode[string], *mapNode[[]byte], *mapNode[quantity]:
		return pointer
	default:
		return other
	}
}

func (n *structNode) add(f field) {
	f.salt, f.layout = mix(uint64(len(n.fields)), 0x589965cc75374cc3), layoutOf(f.node)
	n.fields = append(n.fields, f)
	switch {
	case f.layout == text && !f.unique:
		n.texts = append(n.texts, textField{offset: f.offset})
	case f.layout == pointer || f.layout == other:
		n.parts = append(n.parts, f)
	}
}

// embed adds the fields of a struct that is a field itself.
func (n *structNode) embed(inner *structNode, offset uintptr) {
	for _, f := range inner.fields {
		f.offset += offset
		n.add(f)
	}
}

func (n *structNode) hash(p unsafe.Pointer, s *scan) uint64 {
	s.broken = s.broken || n.state == opaque
	h := uint64(len(n.fields))
	for i := range n.fields {
		f := &n.fields[i]
		q := unsafe.Add(p, f.offset)
		var v uint64
		switch f.layout {
		case text:
			if t := *(*string)(q); t != "" {
				v = s.string(t)
			}
		case byte8:
			v = uint64(*(*uint8)(q))
		case word32:
			v = uint64(*(*uint32)(q))
		case word64:
			v = *(*uint64)(q)
		case pointer:
			if *(*unsafe.Pointer)(q) != nil {
				v = f.node.hash(q, s)
			}
		default:
			v = f.node.hash(q, s)
		}
		if v != 0 {
			h = mix(h^f.salt, v)
		}
	}
	return h
}

func (n *structNode) equal(a, b unsafe.Pointer) bool {
	for i := range n.fields {
		f := &n.fields[i]
		if !f.equal(unsafe.Add(a, f.offset), unsafe.Add(b, f.offset)) {
			return false
		}
	}
	return true
}

func (f *field) equal(a, b unsafe.Pointer) bool {
	switch f.layout {
	case text:
		return *at[string](a) == *at[string](b)
	case byte8:
		return *at[uint8](a) == *at[uint8](b)
	case word32:
		return *at[uint32](a) == *at[uint32](b)
	case word64:
		return *at[uint64](a) == *at[uint64](b)
	case pointer:
		if *at[unsafe.Pointer](a) == nil && *at[unsafe.Pointer](b) == nil {
			return true
		}
	}
	return f.node.equal(a, b)
}

func (n *structNode) share(p unsafe.Pointer, w *walk) {
	if n.state == opaque {
		return
	}
	for i := range n.parts {
		f := &n.parts[i]
		q := unsafe.Add(p, f.offset)
		if f.layout != pointer || *(*unsafe.Pointer)(q) != nil {
			f.node.share(q, w)
		}
	}
	for i := range n.texts {
		n.texts[i].share(unsafe.Add(p, n.texts[i].offset), w)
	}
}
