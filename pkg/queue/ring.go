package queue

// A ring is a first-in-first-out buffer that grows when it is full and shrinks when it is mostly empty. The zero value
// is empty.
type ring[T any] struct {
	slots []T // a power of two of them, or none
	head  int
	count int
}

const minRing = 64

func (r *ring[T]) len() int { return r.count }

func (r *ring[T]) push(item T) {
	if r.count == len(r.slots) {
		r.resize(max(minRing, 2*len(r.slots)))
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
	if len(r.slots) > minRing && r.count < len(r.slots)/8 {
		r.resize(len(r.slots) / 4)
	}
	return item
}

func (r *ring[T]) resize(size int) {
	slots := make([]T, size)
	n := copy(slots, r.slots[r.head:min(r.head+r.count, len(r.slots))])
	copy(slots[n:], r.slots[:r.count-n])
	r.slots, r.head = slots, 0
}
