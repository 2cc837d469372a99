package queue

// A list is a chain of entries linked through themselves, so that each joins and leaves in constant time and without
// memory. The zero value is empty.
type list[K comparable] struct {
	head, tail *entry[K]
	count      int
}

func (l *list[K]) push(e *entry[K]) {
	e.prev = l.tail
	if l.tail == nil {
		l.head = e
	} else {
		l.tail.next = e
	}
	l.tail = e
	l.count++
}

// pop takes out the first entry. The list must not be empty.
func (l *list[K]) pop() *entry[K] {
	e := l.head
	l.head = e.next
	if l.head == nil {
		l.tail = nil
	} else {
		l.head.prev = nil
	}
	e.next = nil
	l.count--
	return e
}

// remove takes out an entry that is on the list.
func (l *list[K]) remove(e *entry[K]) {
	if e.prev == nil {
		l.head = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		l.tail = e.prev
	} else {
		e.next.prev = e.prev
	}
	e.next, e.prev = nil, nil
	l.count--
}
