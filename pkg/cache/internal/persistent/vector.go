package persistent

import "iter"

// An Owner is the transaction on whose behalf nodes are changed. Each has its own number, from 1.
type Owner uint64

// A node of each level has so many children. The number of an element is cut up accordingly, its lowest bits for the leaf.
const (
	leafBits   = 4
	twigBits   = 4
	branchBits = 5

	leafWidth   = 1 << leafBits
	twigWidth   = 1 << twigBits
	branchWidth = 1 << branchBits

	ofTwig   = leafBits + twigBits // bits of the elements below a twig
	ofBranch = ofTwig + branchBits // and below a branch
)

// node is one of any level: C is an array of its children.
type node[C any] struct {
	owner    Owner
	children C
}

type (
	leaf[E any]   = node[[leafWidth]E]
	twig[E any]   = node[[twigWidth]*leaf[E]]
	branch[E any] = node[[branchWidth]*twig[E]]
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
// copies three nodes and the row. Wider nodes would make the way shorter and each change dearer.
type Vector[E any] struct {
	row    []*branch[E]
	length int
	owner  Owner // of the row
}

// Len returns the number of elements.
func (v *Vector[E]) Len() int { return v.length }

// At returns element i, which must exist.
func (v *Vector[E]) At(i int) E {
	n := uint(i)
	return v.row[n>>ofBranch].children[n>>ofTwig%branchWidth].children[n>>leafBits%twigWidth].children[n%leafWidth]
}

// Chunks yields the elements in order, several at a time. The slices must not be changed.
func (v *Vector[E]) Chunks() iter.Seq[[]E] {
	return func(yield func([]E) bool) {
		for i := 0; i < v.length; i += leafWidth {
			if !yield(v.Chunk(i)) {
				return
			}
		}
	}
}

// Chunk returns some elements from element i on, the first of a chunk. The slice must not be changed.
func (v *Vector[E]) Chunk(i int) []E {
	n := uint(i)
	leaf := v.row[n>>ofBranch].children[n>>ofTwig%branchWidth].children[n>>leafBits%twigWidth]
	length := min(leafWidth, v.length-i)
	return leaf.children[:length:length] // who appends to it must not write into the leaf
}

// Set changes element i, which must exist.
func (v *Vector[E]) Set(owner Owner, i int, element E) {
	v.leaf(owner, uint(i)).children[uint(i)%leafWidth] = element
}

// Append adds an element at the end.
func (v *Vector[E]) Append(owner Owner, element E) {
	i := v.length
	v.length++
	v.Set(owner, i, element)
}

// Pop removes the last element.
func (v *Vector[E]) Pop(owner Owner) {
	v.length--
	i := uint(v.length)
	if i%leafWidth == 0 {
		v.prune(owner, i)
		return
	}
	var none E
	v.leaf(owner, i).children[i%leafWidth] = none // lets what it points to go
}

// prune removes the leaf that begins with element i, the last one, and each node that has become empty by it.
func (v *Vector[E]) prune(owner Owner, i uint) {
	v.editRow(owner)
	at := &v.row[i>>ofBranch]
	if i%(1<<ofBranch) == 0 {
		*at = nil
		v.row = v.row[:len(v.row)-1]
		return
	}
	twig := &edit(owner, at).children[i>>ofTwig%branchWidth]
	if i%(1<<ofTwig) == 0 {
		*twig = nil
		return
	}
	edit(owner, twig).children[i>>leafBits%twigWidth] = nil
}

// leaf returns the leaf of element i for the owner to change. Nodes that are missing on the way are made.
func (v *Vector[E]) leaf(owner Owner, i uint) *leaf[E] {
	v.editRow(owner)
	if i>>ofBranch == uint(len(v.row)) {
		v.row = append(v.row, nil)
	}
	branch := edit(owner, &v.row[i>>ofBranch])
	twig := edit(owner, &branch.children[i>>ofTwig%branchWidth])
	return edit(owner, &twig.children[i>>leafBits%twigWidth])
}

// edit makes what at points to the owner's.
func edit[C any](owner Owner, at **node[C]) *node[C] {
	*at = (*at).edit(owner)
	return *at
}

func (v *Vector[E]) editRow(owner Owner) {
	if v.owner != owner {
		v.owner = owner
		v.row = append([]*branch[E](nil), v.row...)
	}
}
