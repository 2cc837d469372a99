package persistent

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"unsafe"
)

// bagTrial has a slice as its model, which it is used like.
type bagTrial struct {
	bag   Bag
	model []uint32
	next  uint32
}

func (tr *bagTrial) change(p *program, owner Owner) {
	switch p.below(7) {
	case 0:
		tr.append(owner, 1)
	case 1:
		tr.append(owner, p.oneOf(2, 10, 63, 64, 127, 128, 129, 500))
	case 2:
		tr.pop(owner, 1)
	case 3:
		tr.pop(owner, p.oneOf(2, 10, 63, 64, 65, 127, 300, 1<<20))
	case 4:
		tr.set(owner, p.below(1<<16))
	case 5:
		tr.remove(owner, p.below(1<<16))
	case 6: // to one of the limits
		to := p.oneOf(few-1, few, few+1, few/2-1, few/2, few/2+1)
		tr.append(owner, to-len(tr.model))
		tr.pop(owner, len(tr.model)-to)
	}
}

func (tr *bagTrial) append(owner Owner, n int) {
	for range n {
		tr.next++
		tr.bag.Append(owner, tr.next)
		tr.model = append(tr.model, tr.next)
	}
}

func (tr *bagTrial) pop(owner Owner, n int) {
	for range min(n, len(tr.model)) {
		tr.bag.Pop(owner)
		tr.model = tr.model[:len(tr.model)-1]
	}
}

func (tr *bagTrial) set(owner Owner, i int) {
	if len(tr.model) > 0 {
		tr.next++
		tr.bag.Set(owner, i%len(tr.model), tr.next)
		tr.model[i%len(tr.model)] = tr.next
	}
}

func (tr *bagTrial) remove(owner Owner, i int) {
	if len(tr.model) == 0 {
		return
	}
	i, last := i%len(tr.model), len(tr.model)-1
	tr.bag.Set(owner, i, tr.bag.At(last))
	tr.bag.Pop(owner)
	tr.model[i] = tr.model[last]
	tr.model = tr.model[:last]
}

func (tr *bagTrial) check() error {
	err := sameBag(&tr.bag, tr.model)
	if tr.bag.vector == nil {
		if len(tr.bag.slice) > few {
			err = errors.Join(err, fmt.Errorf("a slice of %d", len(tr.bag.slice)))
		}
		return err
	}
	if tr.bag.slice != nil || tr.bag.Len() <= few/2 {
		err = errors.Join(err, fmt.Errorf("a vector of %d, and a slice of %d", tr.bag.Len(), len(tr.bag.slice)))
	}
	return errors.Join(err, wellFormed(tr.bag.vector))
}

func (tr *bagTrial) keep() func() error {
	bag, model := tr.bag, slices.Clone(tr.model)
	return func() error { return sameBag(&bag, model) }
}

func sameBag(b *Bag, model []uint32) error {
	if b.Len() != len(model) {
		return fmt.Errorf("length is %d, want %d", b.Len(), len(model))
	}
	for i, want := range model {
		if got := b.At(i); got != want {
			return fmt.Errorf("number %d is %d, want %d", i, got, want)
		}
	}
	if got := slices.Collect(flatten(b.Chunks())); !slices.Equal(got, model) {
		return fmt.Errorf("chunks have %v, want %v", got, model)
	}
	return nil
}

// Versions share a growing slice: a number is appended where no earlier version looks. After a removal that place is seen by
// an earlier version, so the next number goes to another slice.
func TestVersionsShareAGrowingSlice(t *testing.T) {
	var bag Bag
	for n := range uint32(5) {
		bag.Append(1, n)
	}
	five := bag
	bag.Append(2, 5)
	six := bag
	bag.Pop(3)
	bag.Append(4, 6)
	if unsafe.SliceData(five.slice) != unsafe.SliceData(six.slice) {
		t.Error("a number was appended to a copy")
	}
	if unsafe.SliceData(six.slice) == unsafe.SliceData(bag.slice) {
		t.Error("a number was put where an earlier version has another")
	}
	if five.Len() != 5 || six.At(5) != 5 || bag.At(5) != 6 {
		t.Errorf("versions have %v, %v and %v", five.slice, six.slice, bag.slice)
	}
}

// One transaction copies the slice once, or the vector's header, whatever it does.
func TestBagIsCopiedOnceForAnOwner(t *testing.T) {
	tr := &bagTrial{}
	tr.append(1, few)
	tr.set(2, 0)
	slice := unsafe.SliceData(tr.bag.slice)
	tr.remove(2, 1)
	tr.append(2, 1)
	if unsafe.SliceData(tr.bag.slice) != slice {
		t.Error("the slice was copied twice")
	}
	tr.append(3, 1)
	vector := tr.bag.vector
	tr.set(3, 0)
	if vector == nil || tr.bag.vector != vector {
		t.Error("the header was copied though it was new")
	}
}
