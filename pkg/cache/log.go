package cache

import "sync/atomic"

// A place in an informer's log is between two segments, or at the end. It leads to what follows and never to what came
// before: those who wait at the end of the log keep nothing of it in memory.
type place[T Object] struct {
	position int64 // number of all events up to here
	next     atomic.Pointer[segment[T]]
}

// A segment is a piece of the log: a batch of events, or a part of one.
type segment[T Object] struct {
	events  []Event[T] // at most maxSegment
	initial bool       // with these events, everything that existed at the start has been told
	end     *place[T]
}

// maxSegment bounds what is merged for a [feed] under its lock at once.
const maxSegment = 1024

// A moment is a place in the log and the content there. It does not change.
type moment[T Object] struct {
	at      *place[T]
	content Snapshot[T]
}

// extend appends a batch to the log, which ends here, and returns its new end. initial goes with the last of the events, or
// alone if there are none.
func (p *place[T]) extend(events []Event[T], initial bool) *place[T] {
	for len(events) > maxSegment {
		p = p.append(&segment[T]{events: events[:maxSegment:maxSegment]})
		events = events[maxSegment:]
	}
	if len(events) == 0 && !initial {
		return p
	}
	return p.append(&segment[T]{events: events, initial: initial})
}

func (p *place[T]) append(s *segment[T]) *place[T] {
	s.end = &place[T]{position: p.position + int64(len(s.events))}
	p.next.Store(s)
	return s.end
}
