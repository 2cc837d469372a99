package cache

import "sync"

// maxLag is how many events behind the log a [feed] may be until they are merged for it by key. Tests set less.
const maxLag = 4096

// A feed is the way of one subscriber through the log. It follows the log segment by segment; when it falls behind, what
// it has missed is merged by key into a backlog of its own. All methods may be called concurrently.
type feed[T Object] struct {
	wake   token // is there while something may wait
	maxLag int64

	mu       sync.Mutex
	existing *Snapshot[T] // what exists where the feed begins, if it joined a running informer, until taken
	at       *place[T]    // up to here all is taken or merged
	behind   *backlog[T]  // what was merged, until taken; else nil
	initial  bool         // a segment with the initial events was merged
	again    *moment[T]   // what is to be told again, there, until taken
	left     bool
}

// newFeed returns a feed of what follows after a place.
func newFeed[T Object](after *place[T]) *feed[T] {
	return &feed[T]{wake: newToken(), maxLag: maxLag, at: after}
}

// take returns what is next. ok is false when there is nothing.
func (f *feed[T]) take() (p portion[T], ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.existing != nil {
		p, f.existing = portion[T]{existing: f.existing, initial: true}, nil
		return p, true
	}
	if p = f.takeMergedLocked(); p.behind != nil || p.again != nil {
		return p, true
	}
	next := f.at.next.Load()
	if next == nil {
		return portion[T]{}, false
	}
	f.at = next.end
	return portion[T]{events: next.events, initial: next.initial}, true
}

// takeMergedLocked takes the backlog, and with it the resync whose place is reached: one that was left for later would be
// put off again whenever the subscriber falls behind.
func (f *feed[T]) takeMergedLocked() portion[T] {
	p := portion[T]{behind: f.behind, initial: f.initial}
	f.behind, f.initial = nil, false
	if f.again != nil && f.again.at == f.at {
		p.again, f.again = new(f.again.content), nil // a copy: the moment itself leads to the log
	}
	return p
}

// resync makes everything be told again as it is now, at the end of the log, unless a resync waits already.
func (f *feed[T]) resync(now *moment[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.again == nil && !f.left {
		f.again = now
	}
	f.wake.signal()
}

// keepUp merges all that waits if the feed is behind: if more than maxLag events waited before the last batch, which began
// at a position and ended now. Merging takes a while: the lock is free in between.
func (f *feed[T]) keepUp(began int64, now *moment[T]) {
	for f.keepUpBySegment(began, now) {
		continue
	}
}

// keepUpBySegment says whether the feed may still be behind.
func (f *feed[T]) keepUpBySegment(began int64, now *moment[T]) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := f.at.next.Load()
	switch {
	case f.left || next == nil || f.behind == nil && began-f.at.position <= f.maxLag:
		return false
	case f.existing != nil: // the subscriber has heard of nothing, so it can begin later
		f.existing, f.at, f.again = new(now.content), now.at, nil
		return false
	default:
		f.mergeLocked(next, now)
		return true
	}
}

// mergeLocked takes the next segment into the backlog. A resync that it passes is put off until now.
func (f *feed[T]) mergeLocked(next *segment[T], now *moment[T]) {
	if f.behind == nil {
		f.behind = newBacklog[T]()
	}
	if f.again != nil && f.again.at == f.at {
		f.again = now
	}
	for _, event := range next.events {
		f.behind.push(event)
	}
	f.at, f.initial = next.end, f.initial || next.initial
}

// leave drops all that waits. A feed that is over must not hold on to the log, which goes on.
func (f *feed[T]) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.existing, f.behind, f.again, f.left = &place[T]{}, nil, nil, nil, true
}

// pending returns how many events wait.
func (f *feed[T]) pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	merged := portion[T]{existing: f.existing, behind: f.behind}
	if f.again != nil {
		merged.again = &f.again.content
	}
	n := merged.len()
	for next := f.at.next.Load(); next != nil; next = next.end.next.Load() {
		n += len(next.events)
	}
	return n
}
