package queue

import (
	"math"
	"time"
)

// never is a time that does not come.
const never = time.Duration(math.MaxInt64)

// after returns the time that is d later, or never.
func after(now, d time.Duration) time.Duration {
	if d > never-now {
		return never
	}
	return now + d
}

// A schedule orders delayed entries by the time they are due; those due at the same time are in the order in which they
// were scheduled. It is a heap with four children a node, whose slots hold what is compared, so that a move touches few
// entries. Each entry knows its position and can be moved or removed. The zero value is empty.
type schedule[K comparable] struct {
	slots []slot[K]
	count uint64 // of times set so far
}

type slot[K comparable] struct {
	due   time.Duration
	order uint64
	entry *entry[K]
}

const arity = 4

func (s slot[K]) before(other slot[K]) bool {
	return s.due < other.due || s.due == other.due && s.order < other.order
}

func (s *schedule[K]) len() int { return len(s.slots) }

// nextDue returns the time of the first entry, or never.
func (s *schedule[K]) nextDue() time.Duration {
	if len(s.slots) == 0 {
		return never
	}
	return s.slots[0].due
}

// due returns the time of an entry that is scheduled.
func (s *schedule[K]) due(e *entry[K]) time.Duration { return s.slots[e.position].due }

// add schedules an entry that is not scheduled.
func (s *schedule[K]) add(e *entry[K], due time.Duration) {
	s.slots = append(s.slots, slot[K]{})
	s.up(len(s.slots)-1, s.slot(e, due))
}

// move gives an entry that is scheduled another time.
func (s *schedule[K]) move(e *entry[K], due time.Duration) {
	s.place(int(e.position), s.slot(e, due))
}

// remove takes out an entry that is scheduled.
func (s *schedule[K]) remove(e *entry[K]) {
	last := len(s.slots) - 1
	moved := s.slots[last]
	s.slots[last] = slot[K]{}
	s.slots = s.slots[:last]
	if position := int(e.position); position < last {
		s.place(position, moved)
	}
	s.shrink()
}

// first returns the entry that is due first. The schedule must not be empty.
func (s *schedule[K]) first() *entry[K] { return s.slots[0].entry }

func (s *schedule[K]) slot(e *entry[K], due time.Duration) slot[K] {
	s.count++
	return slot[K]{due: due, order: s.count, entry: e}
}

// place puts a slot where one became free, or where it belongs above or below that.
func (s *schedule[K]) place(position int, item slot[K]) {
	if position > 0 && item.before(s.slots[(position-1)/arity]) {
		s.up(position, item)
	} else {
		s.down(position, item)
	}
}

func (s *schedule[K]) up(position int, item slot[K]) {
	for position > 0 {
		parent := (position - 1) / arity
		if !item.before(s.slots[parent]) {
			break
		}
		s.set(position, s.slots[parent])
		position = parent
	}
	s.set(position, item)
}

func (s *schedule[K]) down(position int, item slot[K]) {
	for {
		child := s.firstChild(position)
		if child < 0 || !s.slots[child].before(item) {
			break
		}
		s.set(position, s.slots[child])
		position = child
	}
	s.set(position, item)
}

// firstChild returns which child of a node is due first, or -1.
func (s *schedule[K]) firstChild(position int) int {
	begin := arity*position + 1
	if begin >= len(s.slots) {
		return -1
	}
	first := begin
	for child := begin + 1; child < min(begin+arity, len(s.slots)); child++ {
		if s.slots[child].before(s.slots[first]) {
			first = child
		}
	}
	return first
}

func (s *schedule[K]) set(position int, item slot[K]) {
	s.slots[position] = item
	item.entry.position = int32(position)
}

// shrink gives memory back after a burst.
func (s *schedule[K]) shrink() {
	if cap(s.slots) > minRing && len(s.slots) < cap(s.slots)/8 {
		s.slots = append(make([]slot[K], 0, cap(s.slots)/4), s.slots...)
	}
}
