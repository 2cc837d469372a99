package queue

import "math/bits"

// A readySet holds the entries that wait for a worker. Classes are served from the highest down, except that one that was
// overtaken maxOvertakes times comes first. Within a class the tenants take turns, and within a tenant the oldest entry
// comes first. With an order of the user's, that decides everything.
type readySet[K comparable] struct {
	lines        [numClasses]line[K]
	filled       uint8 // a bit for each class that has entries
	count        int
	maxOvertakes int
	order        Order[K] // nil for our own
}

// A line holds the entries of one class.
type line[K comparable] struct {
	common    lane[K]  // of all keys, if there are no tenants
	turn      *lane[K] // or else whose turn it is, in a circle of the tenants that have entries
	overtaken int      // by how many entries of other classes, since it had its turn or was empty
}

// A lane holds the entries of one tenant in one class, the oldest first.
type lane[K comparable] struct {
	list[K]
	after, before *lane[K] // neighbours in the circle
}

func (r *readySet[K]) len() int { return r.count }

func (r *readySet[K]) push(e *entry[K]) {
	if r.order != nil {
		r.order.Push(e.key)
	} else {
		r.filled |= 1 << e.class
		r.lines[e.class].push(e)
	}
	r.count++
}

// pop takes out the entry that is next. The set must not be empty, nor have an order of the user's.
func (r *readySet[K]) pop() *entry[K] {
	c := class(bits.Len8(r.filled) - 1)
	if r.filled != 1<<c {
		c = r.overtake(c)
	}
	r.count--
	r.lines[c].overtaken = 0
	e := r.lines[c].pop()
	r.close(c)
	return e
}

// remove takes out an entry that waits. It must not be called with an order of the user's.
func (r *readySet[K]) remove(e *entry[K]) {
	r.count--
	r.lines[e.class].remove(e)
	r.close(e.class)
}

// close notes that nobody waits in the class any more, if that is so.
func (r *readySet[K]) close(c class) {
	line := &r.lines[c]
	if line.common.head == nil && line.turn == nil {
		line.overtaken = 0
		r.filled &^= 1 << c
	}
}

// overtake returns the class that is served: the highest that has entries, or, of the classes that were overtaken too
// often, the one that was most often; the lower if there are two. It counts this against all of them.
func (r *readySet[K]) overtake(highest class) (served class) {
	served = highest
	most := r.maxOvertakes - 1
	for c := range r.lines {
		if line := &r.lines[c]; r.filled&(1<<c) != 0 {
			if line.overtaken > most {
				served, most = class(c), line.overtaken
			}
			line.overtaken++
		}
	}
	return served
}

// oldest returns the entry that is ready for longest of those that are next in their lanes, or nil; also nil with an
// order of the user's, which cannot tell.
func (r *readySet[K]) oldest() *entry[K] {
	var oldest *entry[K]
	for lane := range r.lanes() {
		if oldest == nil || lane.head.since < oldest.since {
			oldest = lane.head
		}
	}
	return oldest
}

func (l *line[K]) push(e *entry[K]) {
	if e.tenant == nil {
		l.common.push(e)
		return
	}
	lane := &e.tenant.lanes[e.class]
	if lane.head == nil {
		l.join(lane)
	}
	lane.push(e)
}

func (l *line[K]) remove(e *entry[K]) {
	if e.tenant == nil {
		l.common.remove(e)
		return
	}
	lane := &e.tenant.lanes[e.class]
	lane.remove(e)
	if lane.head == nil {
		l.leave(lane)
	}
}

// pop takes out the first entry, of the tenant whose turn it is, and gives the turn to the next.
func (l *line[K]) pop() *entry[K] {
	lane := l.turn
	if lane == nil {
		return l.common.pop()
	}
	l.turn = lane.after
	e := lane.pop()
	if lane.head == nil {
		l.leave(lane)
	}
	return e
}

// join adds a lane to the circle; its turn comes after all the others'.
func (l *line[K]) join(joining *lane[K]) {
	if l.turn == nil {
		joining.after, joining.before, l.turn = joining, joining, joining
		return
	}
	next, last := l.turn, l.turn.before
	joining.after, joining.before = next, last
	last.after, next.before = joining, joining
}

// leave takes a lane out of the circle.
func (l *line[K]) leave(leaving *lane[K]) {
	if leaving.after == leaving {
		l.turn = nil
	} else {
		leaving.before.after, leaving.after.before = leaving.after, leaving.before
		if l.turn == leaving {
			l.turn = leaving.after
		}
	}
	leaving.after, leaving.before = nil, nil
}
