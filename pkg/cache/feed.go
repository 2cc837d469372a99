package cache

import (
	"iter"
	"slices"
	"sync"
	"sync/atomic"
)

// A segment is a piece of an informer's log: the events of one batch. The log has no beginning: a segment is let go when
// the last feed is past it.
type segment[T Object] struct {
	events  []Event[T]
	initial bool  // with these events, everything that existed at the start has been told
	end     int64 // number of all events up to here

	resync  *feed[T] // if not nil, the segment has no events: this feed is to be told all of the snapshot again
	content Snapshot[T]

	next atomic.Pointer[segment[T]]
}

// maxLag is how many events behind the log a [feed] may be until they are merged for it by key.
const maxLag = 4096

// A feed is the way of one subscriber through the log. It follows the log segment by segment; when it falls behind, what
// it has missed is merged by key into a backlog of its own. All methods may be called concurrently.
type feed[T Object] struct {
	wake token // is there while something may wait

	mu        sync.Mutex
	replay    *Snapshot[T] // what existed when the feed joined a running informer, until taken
	at        *segment[T]  // the last one taken or merged
	behind    *backlog[T]  // what was merged, until taken; else nil
	initial   bool         // a segment with the initial events was merged
	resyncing bool         // a resync waits
}

// newFeed returns a feed of what follows after a segment.
func newFeed[T Object](after *segment[T]) *feed[T] {
	return &feed[T]{wake: newToken(), at: after}
}

// A portion is what a subscriber takes from its feed at a time: one of its fields.
type portion[T Object] struct {
	replay *Snapshot[T] // as Added events
	resync *Snapshot[T] // as Updated events
	behind *backlog[T]
	events []Event[T]

	// initial says that with it, everything that existed at the start has been told.
	initial bool
}

// take returns what is next. ok is false when there is nothing.
func (f *feed[T]) take() (p portion[T], ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.replay != nil {
		p, f.replay = portion[T]{replay: f.replay, initial: true}, nil
		return p, true
	}
	if f.behind != nil {
		p = portion[T]{behind: f.behind, initial: f.initial}
		f.behind, f.initial, f.resyncing = nil, false, false
		return p, true
	}
	for next := f.at.next.Load(); next != nil; next = f.at.next.Load() {
		f.at = next
		switch {
		case next.resync == nil:
			return portion[T]{events: next.events, initial: next.initial}, true
		case next.resync == f:
			f.resyncing = false
			return portion[T]{resync: &next.content}, true
		}
	}
	return portion[T]{}, false
}

// notify tells the feed that the log has grown up to tail.
func (f *feed[T]) notify(tail *segment[T]) {
	f.mu.Lock()
	if f.behind != nil || tail.end-int64(len(tail.events))-f.at.end > maxLag {
		f.mergeLocked()
	}
	f.mu.Unlock()
	f.wake.signal()
}

// mergeLocked takes all that waits in the log into the backlog.
func (f *feed[T]) mergeLocked() {
	if f.behind == nil {
		f.behind = newBacklog[T]()
	}
	for next := f.at.next.Load(); next != nil; next = f.at.next.Load() {
		f.at = next
		f.initial = f.initial || next.initial
		events := slices.Values(next.events)
		if next.resync == f {
			events = resyncEvents(next.content)
		}
		for event := range events {
			f.behind.push(event)
		}
	}
}

// mayResync says whether no resync waits, and makes one wait.
func (f *feed[T]) mayResync() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	may := !f.resyncing
	f.resyncing = true
	return may
}

// pending returns how many events wait.
func (f *feed[T]) pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	if f.replay != nil {
		n += f.replay.Len()
	}
	if f.behind != nil {
		n += f.behind.count
	}
	for next := f.at.next.Load(); next != nil; next = next.next.Load() {
		n += len(next.events)
		if next.resync == f {
			n += next.content.Len()
		}
	}
	return n
}

// len returns the number of events.
func (p *portion[T]) len() int {
	switch {
	case p.replay != nil:
		return p.replay.Len()
	case p.resync != nil:
		return p.resync.Len()
	case p.behind != nil:
		return p.behind.count
	default:
		return len(p.events)
	}
}

// all yields the events.
func (p *portion[T]) all() iter.Seq[Event[T]] {
	switch {
	case p.replay != nil:
		return initialEvents(*p.replay)
	case p.resync != nil:
		return resyncEvents(*p.resync)
	case p.behind != nil:
		return p.behind.all()
	default:
		return slices.Values(p.events)
	}
}

func initialEvents[T Object](s Snapshot[T]) iter.Seq[Event[T]] {
	return func(yield func(Event[T]) bool) {
		for obj := range s.All() {
			if !yield(Event[T]{Type: Added, Key: keyOf(obj), Object: obj, Initial: true}) {
				return
			}
		}
	}
}

func resyncEvents[T Object](s Snapshot[T]) iter.Seq[Event[T]] {
	return func(yield func(Event[T]) bool) {
		for obj := range s.All() {
			if !yield(Event[T]{Type: Updated, Key: keyOf(obj), Object: obj, Old: obj, Resync: true}) {
				return
			}
		}
	}
}

// slice returns the events. It must not be changed.
func (p *portion[T]) slice() []Event[T] {
	if p.events != nil {
		return p.events
	}
	return slices.AppendSeq(make([]Event[T], 0, p.len()), p.all())
}
