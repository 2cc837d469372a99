package structure

import (
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A compiler makes the nodes of a plan, one for each type, so that types may contain themselves.
type compiler struct {
	nodes map[reflect.Type]node
	salts uint64
}

func newCompiler() *compiler {
	return &compiler{nodes: make(map[reflect.Type]node)}
}

func (c *compiler) compile(t reflect.Type) node {
	if n, ok := c.nodes[t]; ok {
		return n
	}
	switch t {
	case reflect.TypeFor[time.Time]():
		return timeNode{}
	case reflect.TypeFor[resource.Quantity]():
		return quantityNode{}
	}
	switch t.Kind() {
	case reflect.Struct:
		return c.compileStruct(t)
	case reflect.Slice:
		return c.compileSlice(t)
	case reflect.Map:
		return c.compileMap(t)
	case reflect.Pointer:
		n := &pointerNode{}
		c.nodes[t] = n
		n.elem, n.salt = c.compile(t.Elem()), c.salt()
		return n
	default:
		return compileLeaf(t)
	}
}

func compileLeaf(t reflect.Type) node {
	switch t.Kind() {
	case reflect.String:
		return stringNode{}
	case reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return compileBits(t.Size())
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return anyNode{}
		}
		return interfaceNode{}
	default:
		return opaqueNode{}
	}
}

// compileBits returns the node for values without pointers. An int has 4 or 8 bytes.
func compileBits(size uintptr) node {
	switch size {
	case 1:
		return byteNode{}
	case 2:
		return wordNode[uint16]{}
	case 4:
		return wordNode[uint32]{}
	default:
		return wordNode[uint64]{}
	}
}

func (c *compiler) compileSlice(t reflect.Type) node {
	if t.Elem().Kind() == reflect.Uint8 {
		n := &bytesNode{salt: c.salt()}
		c.nodes[t] = n
		return n
	}
	n := &sliceNode{typ: t, size: t.Elem().Size()}
	c.nodes[t] = n
	n.elem, n.salt = c.compile(t.Elem()), c.salt()
	return n
}

func (c *compiler) compileMap(t reflect.Type) node {
	var n node
	switch elem := t.Elem(); {
	case t.Key().Kind() != reflect.String:
		n = &otherMapNode{typ: t, key: c.compile(t.Key()), salt: c.salt()}
	case elem == reflect.TypeFor[resource.Quantity]():
		n = &mapNode[resource.Quantity]{values: quantities{}, salt: c.salt()}
	case elem.Kind() == reflect.String:
		n = &mapNode[string]{values: texts{}, salt: c.salt()}
	case elem.Kind() == reflect.Slice && elem.Elem().Kind() == reflect.Uint8:
		n = &mapNode[[]byte]{values: blobs{}, salt: c.salt()}
	default:
		n = &otherMapNode{typ: t, key: c.compile(t.Key()), salt: c.salt()}
	}
	c.nodes[t] = n
	if other, ok := n.(*otherMapNode); ok {
		other.elem = c.compile(t.Elem())
	}
	return n
}

// compileStruct lists the fields of t, those of the structs in it included.
func (c *compiler) compileStruct(t reflect.Type) node {
	n := &structNode{}
	c.nodes[t] = n
	for f := range t.Fields() {
		if !f.IsExported() {
			*n = structNode{state: opaque}
			return n
		}
		child := c.compile(f.Type)
		if inner, ok := child.(*structNode); ok && inner.state == complete {
			n.embed(inner, f.Offset)
			continue
		}
		n.add(field{node: child, offset: f.Offset, unique: t == reflect.TypeFor[metav1.ObjectMeta]() && unique(f.Name)})
	}
	n.state = complete
	return n
}

// unique says whether that field of ObjectMeta holds a string that no other object of its kind has.
func unique(name string) bool {
	return name == "Name" || name == "UID" || name == "ResourceVersion"
}

// salt returns a number by which types differ.
func (c *compiler) salt() uint64 {
	c.salts++
	return mix(c.salts, 0x8ebc6af09c88c6e3)
}
