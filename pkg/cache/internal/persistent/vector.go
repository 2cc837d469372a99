package persistent

import "iter"

// An Owner is the transaction on whose behalf nodes are changed. Each has its own number, from 1.
type Owner uint64

const (
	bits  = 4
	width = 1 << bits
	mask  = width - 1
)

// node is one of any level; the element type of its children tells which.
type node[C any] struct {
	owner    Owner
	children [width]C
}

type (
	leaf[E any]   = node[E]
	twig[E any]   = node[*leaf[E]]
	branch[E any] = node[*twig[E]]
	tree[E any]   = node[*branch[E]]
)

// edit returns the node for the owner to change: itself or a copy; a new one in place of nil.
func (n *node[C]) edit(owner Owner) *node[C] {
	if n == nil {
		return &node[C]{owner: owner}
	}
	if n.owner == owner {
		return n
	}
	edited := *n
	edited.owner = owner
	return &edited
}

// A Vector holds elements by their number, from 0. The zero value is empty.
//
// It is a row of trees of fixed height: finding an element takes the same few steps whatever the size, and changing one
// copies four nodes of 16 children, and the row. Wider nodes would make the way shorter and each change dearer.
type Vector[E any] struct {
	trees  []*tree[E]
	length int
	owner  Owner // of the row
}

// Len returns the number of elements.
func (v *Vector[E]) Len() int { return v.length }

// At returns element i, which must exist.
func (v *Vector[E]) At(i int) E {
	return v.trees[i>>(4*bits)].children[i>>(3*bits)&mask].children[i>>(2*bits)&mask].children[i>>bits&mask].children[i&mask]
}

// Chunks yields the elements in order, several at a time. The slices must not be changed.
func (v *Vector[E]) Chunks() iter.Seq[[]E] {
	return func(yield func([]E) bool) {
		for i := 0; i < v.length; i += width {
			if !yield(v.chunk(i)) {
				return
			}
		}
	}
}

func (v *Vector[E]) chunk(i int) []E {
	leaf := v.trees[i>>(4*bits)].children[i>>(3*bits)&mask].children[i>>(2*bits)&mask].children[i>>bits&mask]
	return leaf.children[:min(width, v.length-i):width]
}

// Set changes element i, which must exist.
func (v *Vector[E]) Set(owner Owner, i int, element E) {
	v.leaf(owner, i).children[i&mask] = element
}

// Append adds an element at the end.
func (v *Vector[E]) Append(owner Owner, element E) {
	i := v.length
	v.length++
	v.Set(owner, i, element)
}

// Pop removes the last element.
func (v *Vector[E]) Pop(owner Owner) {
	i := v.length - 1
	if i&mask == 0 {
		v.prune(owner, i)
	} else {
		var none E
		v.leaf(owner, i).children[i&mask] = none // lets what it points to go
	}
	v.length = i
}

// prune removes the leaf that begins with element i, the last one, and each node that has become empty by it.
func (v *Vector[E]) prune(owner Owner, i int) {
	v.editRow(owner)
	at := &v.trees[i>>(4*bits)]
	if i&(1<<(4*bits)-1) == 0 {
		v.trees = v.trees[:len(v.trees)-1]
		*at = nil
		return
	}
	*at = (*at).edit(owner)
	branch := &(*at).children[i>>(3*bits)&mask]
	if i&(1<<(3*bits)-1) == 0 {
		*branch = nil
		return
	}
	*branch = (*branch).edit(owner)
	twig := &(*branch).children[i>>(2*bits)&mask]
	if i&(1<<(2*bits)-1) == 0 {
		*twig = nil
		return
	}
	*twig = (*twig).edit(owner)
	(*twig).children[i>>bits&mask] = nil
}

// leaf returns the leaf of element i for the owner to change. Nodes that are missing on the way are made.
func (v *Vector[E]) leaf(owner Owner, i int) *leaf[E] {
	v.editRow(owner)
	if i>>(4*bits) == len(v.trees) {
		v.trees = append(v.trees, nil)
	}
	tree := edit(owner, &v.trees[i>>(4*bits)])
	branch := edit(owner, &tree.children[i>>(3*bits)&mask])
	twig := edit(owner, &branch.children[i>>(2*bits)&mask])
	return edit(owner, &twig.children[i>>bits&mask])
}

// edit makes what at points to the owner's.
func edit[C any](owner Owner, at **node[C]) *node[C] {
	*at = (*at).edit(owner)
	return *at
}

func (v *Vector[E]) editRow(owner Owner) {
	if v.owner != owner {
		v.owner = owner
		v.trees = append([]*tree[E](nil), v.trees...)
	}
}
