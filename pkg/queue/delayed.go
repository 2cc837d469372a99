package queue

import (
	"container/heap"
	"time"
)

// A schedule orders delayed entries by the time they are due and knows the position of each, so that an entry can be
// moved or removed. The zero value is empty.
type schedule[K comparable] struct {
	entries []*entry[K]
	count   uint64 // of delays so far
}

// add inserts e, due at the given time.
func (s *schedule[K]) add(e *entry[K], due time.Time) {
	s.set(e, due)
	heap.Push((*dueHeap[K])(s), e)
}

// advance moves a scheduled entry to an earlier time.
func (s *schedule[K]) advance(e *entry[K], due time.Time) {
	s.set(e, due)
	heap.Fix((*dueHeap[K])(s), e.position)
}

func (s *schedule[K]) set(e *entry[K], due time.Time) {
	s.count++
	e.due, e.order = due, s.count
}

func (s *schedule[K]) remove(e *entry[K]) {
	heap.Remove((*dueHeap[K])(s), e.position)
}

// next returns the entry that is due first, or nil.
func (s *schedule[K]) next() *entry[K] {
	if len(s.entries) == 0 {
		return nil
	}
	return s.entries[0]
}

// dueHeap implements heap.Interface on a schedule.
type dueHeap[K comparable] schedule[K]

func (h *dueHeap[K]) Len() int { return len(h.entries) }

func (h *dueHeap[K]) Less(i, j int) bool {
	a, b := h.entries[i], h.entries[j]
	if a.due.Equal(b.due) {
		return a.order < b.order
	}
	return a.due.Before(b.due)
}

func (h *dueHeap[K]) Swap(i, j int) {
	h.entries[i], h.entries[j] = h.entries[j], h.entries[i]
	h.entries[i].position, h.entries[j].position = i, j
}

func (h *dueHeap[K]) Push(x any) {
	e := x.(*entry[K])
	e.position = len(h.entries)
	h.entries = append(h.entries, e)
}

func (h *dueHeap[K]) Pop() any {
	last := len(h.entries) - 1
	e := h.entries[last]
	h.entries[last] = nil
	h.entries = h.entries[:last]
	return e
}
