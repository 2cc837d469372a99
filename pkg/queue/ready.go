package queue

// A ring is a first-in-first-out buffer that grows when full and reuses its memory. The zero value is empty.
type ring[T any] struct {
	slots []T // a power of two of them, or none
	head  int
	count int
}

func (r *ring[T]) len() int { return r.count }

func (r *ring[T]) push(item T) {
	if r.count == len(r.slots) {
		r.grow()
	}
	r.slots[(r.head+r.count)&(len(r.slots)-1)] = item
	r.count++
}

// pop removes the oldest item. The ring must not be empty.
func (r *ring[T]) pop() T {
	var zero T
	item := r.slots[r.head]
	r.slots[r.head] = zero
	r.head = (r.head + 1) & (len(r.slots) - 1)
	r.count--
	return item
}

func (r *ring[T]) grow() {
	slots := make([]T, max(8, 2*len(r.slots)))
	n := copy(slots, r.slots[r.head:])
	copy(slots[n:], r.slots[:r.head])
	r.slots, r.head = slots, 0
}
