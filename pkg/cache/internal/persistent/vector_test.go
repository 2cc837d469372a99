package persistent

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
)

// vectorTrial has a slice as its model. No element is zero.
type vectorTrial struct {
	vector Vector[int]
	model  []int
	next   int
}

func (tr *vectorTrial) change(p *program, owner Owner) {
	switch p.below(6) {
	case 0:
		tr.append(owner, 1)
	case 1:
		tr.append(owner, p.oneOf(15, 16, 17, 255, 256, 257, 4095, 4096))
	case 2:
		tr.pop(owner, 1)
	case 3:
		tr.pop(owner, p.oneOf(15, 16, 17, 255, 256, 257, 4096, 1<<20))
	case 4:
		tr.set(owner, p.below(1<<16))
	case 5: // across a border and back
		n := p.below(40)
		tr.append(owner, n)
		tr.pop(owner, n)
	}
}

func (tr *vectorTrial) append(owner Owner, n int) {
	for range n {
		tr.next++
		tr.vector.Append(owner, tr.next)
		tr.model = append(tr.model, tr.next)
	}
}

func (tr *vectorTrial) pop(owner Owner, n int) {
	for range min(n, len(tr.model)) {
		tr.vector.Pop(owner)
		tr.model = tr.model[:len(tr.model)-1]
	}
}

func (tr *vectorTrial) set(owner Owner, i int) {
	if len(tr.model) > 0 {
		tr.next++
		tr.vector.Set(owner, i%len(tr.model), tr.next)
		tr.model[i%len(tr.model)] = tr.next
	}
}

func (tr *vectorTrial) check() error {
	return errors.Join(sameVector(&tr.vector, tr.model), wellFormed(&tr.vector))
}

func (tr *vectorTrial) keep() func() error {
	vector, model := tr.vector, slices.Clone(tr.model)
	return func() error { return sameVector(&vector, model) }
}

func sameVector(v *Vector[int], model []int) error {
	if v.Len() != len(model) {
		return fmt.Errorf("length is %d, want %d", v.Len(), len(model))
	}
	for i, want := range model {
		if got := v.At(i); got != want {
			return fmt.Errorf("element %d is %d, want %d", i, got, want)
		}
	}
	if got := slices.Collect(flatten(v.Chunks())); !slices.Equal(got, model) {
		return fmt.Errorf("chunks have %v, want %v", got, model)
	}
	return nil
}

// wellFormed says whether a vector has the nodes that its length asks for and no other, and nothing in them beyond it.
func wellFormed[E any](v *Vector[E]) error {
	const span = 1 << ofBranch
	if want := (v.length + span - 1) / span; len(v.row) != want {
		return fmt.Errorf("%d branches for %d elements, want %d", len(v.row), v.length, want)
	}
	for i, branch := range v.row[:cap(v.row)] {
		if i >= len(v.row) {
			if branch != nil {
				return fmt.Errorf("branch %d is still there", i)
			}
			continue
		}
		if err := checkBranch(branch, v.length-i*span, v.owner); err != nil {
			return err
		}
	}
	return nil
}

func checkBranch[E any](n *branch[E], length int, owner Owner) error {
	if n == nil || n.owner > owner {
		return fmt.Errorf("branch %+v below owner %d", n, owner)
	}
	return checkChildren(n.children[:], length, 1<<ofTwig, func(n *twig[E], length int) error {
		return checkTwig(n, length, owner)
	})
}

func checkTwig[E any](n *twig[E], length int, owner Owner) error {
	if n == nil || n.owner > owner {
		return fmt.Errorf("twig %+v below owner %d", n, owner)
	}
	return checkChildren(n.children[:], length, leafWidth, func(leaf *leaf[E], length int) error {
		return checkLeaf(leaf, length, n.owner)
	})
}

// checkChildren checks nodes that hold span elements each. None may be newer than its parent, which would have to be copied
// for the same owner.
func checkChildren[C any](nodes []*C, length, span int, check func(n *C, length int) error) error {
	for i, n := range nodes {
		if rest := length - i*span; rest > 0 {
			if err := check(n, rest); err != nil {
				return err
			}
		} else if n != nil {
			return fmt.Errorf("a node of span %d is %d elements beyond the length", span, -rest)
		}
	}
	return nil
}

func checkLeaf[E any](n *leaf[E], length int, parent Owner) error {
	if n == nil || n.owner > parent {
		return fmt.Errorf("leaf %+v below owner %d", n, parent)
	}
	for i, element := range n.children {
		if i >= length && !reflect.ValueOf(&element).Elem().IsZero() {
			return fmt.Errorf("element %v is %d beyond the length", element, i-length)
		}
	}
	return nil
}

// A vector grows over many branches, shrinks to nothing and grows again. The versions around each border stay.
func TestVectorOverAllLevels(t *testing.T) {
	tr := &vectorTrial{}
	var kept []func() error
	owner := Owner(0)
	to := func(length int) {
		owner++
		tr.append(owner, length-len(tr.model))
		tr.pop(owner, len(tr.model)-length)
		tr.set(owner, length/2)
		kept = append(kept, tr.keep())
		if err := wellFormed(&tr.vector); err != nil {
			t.Fatalf("at %d: %v", length, err)
		}
	}
	borders := []int{0, 1, 15, 16, 17, 255, 256, 257, 4095, 4096, 4097, 8191, 8192, 8193, 65536, 131073}
	for _, length := range borders {
		to(length)
	}
	for _, length := range slices.Backward(borders) {
		to(length)
	}
	to(4097)
	for _, check := range kept {
		if err := check(); err != nil {
			t.Fatal(err)
		}
	}
}

// One transaction copies a node once; the next one copies the way to what it changes and shares the rest.
func TestVectorCopiesOnlyTheWay(t *testing.T) {
	tr := &vectorTrial{}
	tr.append(1, 300)
	before := tr.vector
	tr.set(2, 20)
	changed := tr.leafOf(20)
	tr.set(2, 21)
	if tr.leafOf(21) != changed {
		t.Error("the same owner copied a leaf twice")
	}
	if old := before.row[0].children[0].children[1]; old == changed {
		t.Error("a leaf of the version before was changed")
	}
	if other := before.row[0].children[0].children[2]; tr.leafOf(32) != other {
		t.Error("a leaf that did not change was copied")
	}
}

func (tr *vectorTrial) leafOf(i int) *leaf[int] {
	return tr.vector.row[0].children[i>>ofTwig].children[i>>leafBits%twigWidth]
}

// Who appends to a chunk must not write into the vector.
func TestChunksHaveNoRoom(t *testing.T) {
	var vector Vector[int]
	var bag Bag
	for i := range 20 {
		vector.Append(1, i)
		bag.Append(1, uint32(i))
	}
	for chunk := range vector.Chunks() {
		if cap(chunk) != len(chunk) {
			t.Errorf("a chunk of a vector has %d elements and room for %d", len(chunk), cap(chunk))
		}
	}
	for chunk := range bag.Chunks() {
		if cap(chunk) != len(chunk) {
			t.Errorf("a chunk of a bag has %d numbers and room for %d", len(chunk), cap(chunk))
		}
	}
}

func TestChunksStop(t *testing.T) {
	var vector Vector[int]
	for i := range 100 {
		vector.Append(1, i)
	}
	chunks, elements := 0, 0
	for range vector.Chunks() {
		chunks++
		break
	}
	for range flatten(vector.Chunks()) {
		elements++
		if elements == 20 {
			break
		}
	}
	if chunks != 1 || elements != 20 {
		t.Errorf("%d chunks and %d elements", chunks, elements)
	}
}
