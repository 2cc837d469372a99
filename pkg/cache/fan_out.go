package cache

import (
	"sync"
	"time"
)

// fanOut hands the events of an informer to any number of feeds: one log, at the end of which all of them read. Its methods
// may be called concurrently, except that batches are told by one goroutine.
type fanOut[T Object] struct {
	mu      sync.Mutex
	tail    *segment[T]
	content Snapshot[T] // at the tail
	synced  bool        // the log has the initial events
	feeds   map[*feed[T]]*resync
}

// resync says when a feed is to be told everything again. The zero value says never.
type resync struct {
	period time.Duration
	due    time.Time
	begun  bool
}

func newFanOut[T Object](content Snapshot[T]) *fanOut[T] {
	return &fanOut[T]{tail: &segment[T]{}, content: content, feeds: make(map[*feed[T]]*resync)}
}

// join adds a feed. Once the informer has synced, it begins with all that exists.
func (o *fanOut[T]) join(period time.Duration, now time.Time) *feed[T] {
	o.mu.Lock()
	defer o.mu.Unlock()
	f := newFeed(o.tail)
	if o.synced {
		f.replay = new(o.content)
		f.wake.signal()
	}
	o.feeds[f] = &resync{period: period, due: now.Add(period)}
	return f
}

// leave removes a feed.
func (o *fanOut[T]) leave(f *feed[T]) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.feeds, f)
	f.leave()
}

// tell appends what a batch has changed to the log. content is what there is after it; initial says that the batch was the
// first replacement.
func (o *fanOut[T]) tell(events []Event[T], content Snapshot[T], initial bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.content = content
	o.synced = o.synced || initial
	if len(events) > 0 || initial {
		o.appendLocked(&segment[T]{events: events, initial: initial})
	}
}

// update makes content what there is, without telling of it.
func (o *fanOut[T]) update(content Snapshot[T]) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.content = content
}

// beginResync says whether a resync is due for any feed. Those for which it is are told everything again by the next call of
// resync.
func (o *fanOut[T]) beginResync(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	begun := false
	for _, r := range o.feeds {
		if r.period > 0 && !now.Before(r.due) {
			r.due, r.begun, begun = now.Add(r.period), true, true
		}
	}
	return begun
}

func (o *fanOut[T]) resync() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for f, r := range o.feeds {
		if r.begun {
			f.tellAgain(o.tail, o.content)
		}
		r.begun = false
	}
}

// nextResync returns when the next resync is due; ok is false when there is none.
func (o *fanOut[T]) nextResync() (due time.Time, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.feeds {
		if r.period > 0 && (!ok || r.due.Before(due)) {
			due, ok = r.due, true
		}
	}
	return due, ok
}

func (o *fanOut[T]) appendLocked(s *segment[T]) {
	s.end = o.tail.end + int64(len(s.events))
	o.tail.next.Store(s)
	o.tail = s
	for f := range o.feeds {
		f.notify(s)
	}
}
