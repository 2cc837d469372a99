package persistent

import (
	"iter"
	"slices"
)

// few is the most numbers that a [Bag] holds in a slice, which is copied whole when one of them changes.
const few = 128

// A Bag holds numbers at positions from 0 on. Their order means nothing: the one who removes a number puts the last one in
// its place. The zero value is empty.
type Bag struct {
	slice  []uint32
	vector *Vector[uint32] // in place of the slice, when there are many
	owner  Owner           // of the vector's header
}

// Len returns how many numbers there are.
func (b *Bag) Len() int {
	if b.vector != nil {
		return b.vector.Len()
	}
	return len(b.slice)
}

// At returns the number at a position, which must exist.
func (b *Bag) At(position int) uint32 {
	if b.vector != nil {
		return b.vector.At(position)
	}
	return b.slice[position]
}

// Chunks yields the numbers, several at a time. The slices must not be changed.
func (b *Bag) Chunks() iter.Seq[[]uint32] {
	if b.vector != nil {
		return b.vector.Chunks()
	}
	return func(yield func([]uint32) bool) {
		if len(b.slice) > 0 {
			yield(b.slice)
		}
	}
}

// Append adds a number at the next position.
func (b *Bag) Append(owner Owner, number uint32) {
	switch {
	case b.vector != nil:
		b.edit(owner).Append(owner, number)
	case len(b.slice) < few:
		b.slice = append(b.slice, number)
	default:
		b.vector, b.owner = &Vector[uint32]{}, owner
		for _, n := range b.slice {
			b.vector.Append(owner, n)
		}
		b.slice = nil
		b.vector.Append(owner, number)
	}
}

// Set changes the number at a position, which must exist.
func (b *Bag) Set(owner Owner, position int, number uint32) {
	if b.vector != nil {
		b.edit(owner).Set(owner, position, number)
		return
	}
	b.slice = slices.Clone(b.slice)
	b.slice[position] = number
}

// Pop removes the number at the last position.
func (b *Bag) Pop(owner Owner) {
	if b.vector == nil {
		last := len(b.slice) - 1
		b.slice = b.slice[:last:last] // another number may not take its place: earlier versions see it
		return
	}
	b.edit(owner).Pop(owner)
	if b.vector.Len() <= few/2 {
		b.slice = slices.AppendSeq(make([]uint32, 0, few), flatten(b.vector.Chunks()))
		b.vector = nil
	}
}

func (b *Bag) edit(owner Owner) *Vector[uint32] {
	if b.owner != owner {
		b.vector, b.owner = new(*b.vector), owner
	}
	return b.vector
}

func flatten[E any](chunks iter.Seq[[]E]) iter.Seq[E] {
	return func(yield func(E) bool) {
		for chunk := range chunks {
			for _, element := range chunk {
				if !yield(element) {
					return
				}
			}
		}
	}
}
