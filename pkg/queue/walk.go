package queue

import (
	"container/heap"
	"iter"
)

// all returns the entries in their order.
func (l *list[K]) all() iter.Seq[*entry[K]] {
	return func(yield func(*entry[K]) bool) {
		for e := l.head; e != nil; e = e.next {
			if !yield(e) {
				return
			}
		}
	}
}

func (r *readySet[K]) all() iter.Seq[*entry[K]] {
	return func(yield func(*entry[K]) bool) {
		for lane := range r.lanes() {
			for e := range lane.all() {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// queued returns the entries that are in lanes, or would be, in no order.
func (t *table[K]) queued() iter.Seq[*entry[K]] {
	return func(yield func(*entry[K]) bool) {
		for _, e := range t.entries {
			if e.queued() && !yield(e) {
				return
			}
		}
	}
}

// lanes returns the lanes that have entries, from the highest class, and in each from the one whose turn it is.
func (r *readySet[K]) lanes() iter.Seq[*lane[K]] {
	return func(yield func(*lane[K]) bool) {
		for c := numClasses - 1; c >= 0; c-- {
			if !r.lines[c].visit(yield) {
				return
			}
		}
	}
}

// visit passes on what yield says: whether to go on.
func (l *line[K]) visit(yield func(*lane[K]) bool) bool {
	if l.common.head != nil && !yield(&l.common) {
		return false
	}
	for lane := l.turn; lane != nil; {
		if !yield(lane) {
			return false
		}
		if lane = lane.after; lane == l.turn {
			break
		}
	}
	return true
}

// all returns the entries by the time they are due. To find the first few it looks at few others.
func (s *schedule[K]) all() iter.Seq[*entry[K]] {
	return func(yield func(*entry[K]) bool) {
		next := frontier[K]{schedule: s}
		if len(s.slots) > 0 {
			next.positions = []int{0}
		}
		for len(next.positions) > 0 {
			position := heap.Pop(&next).(int)
			if !yield(s.slots[position].entry) {
				return
			}
			begin := arity*position + 1
			for child := begin; child < min(begin+arity, len(s.slots)); child++ {
				heap.Push(&next, child)
			}
		}
	}
}

// A frontier holds the positions of a schedule that may be next; it implements heap.Interface.
type frontier[K comparable] struct {
	schedule  *schedule[K]
	positions []int
}

func (f *frontier[K]) Len() int { return len(f.positions) }

func (f *frontier[K]) Less(i, j int) bool {
	return f.schedule.slots[f.positions[i]].before(f.schedule.slots[f.positions[j]])
}

func (f *frontier[K]) Swap(i, j int) {
	f.positions[i], f.positions[j] = f.positions[j], f.positions[i]
}

func (f *frontier[K]) Push(position any) { f.positions = append(f.positions, position.(int)) }

func (f *frontier[K]) Pop() any {
	last := len(f.positions) - 1
	position := f.positions[last]
	f.positions = f.positions[:last]
	return position
}
