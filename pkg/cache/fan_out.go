package cache

import (
	"sync"
	"time"
)

// fanOut hands the events of an informer to any number of feeds: one log, at the end of which all of them read. Its methods
// may be called concurrently, except that batches are told by one goroutine.
type fanOut[T Object] struct {
	mu     sync.Mutex
	now    *moment[T] // the end of the log
	synced bool       // the log has the initial events
	feeds  map[*feed[T]]*timetable

	told []*feed[T] // for the goroutine that tells: scratch
}

// A timetable says when a feed is to be told everything again. The zero value says never.
type timetable struct {
	period time.Duration
	due    time.Time
	begun  bool
}

func newFanOut[T Object](content Snapshot[T]) *fanOut[T] {
	return &fanOut[T]{now: &moment[T]{&place[T]{}, content}, feeds: make(map[*feed[T]]*timetable)}
}

// join adds a feed. Once the informer has synced, it begins with all that exists.
func (o *fanOut[T]) join(period time.Duration, now time.Time) *feed[T] {
	o.mu.Lock()
	defer o.mu.Unlock()
	f := newFeed(o.now.at)
	if o.synced {
		f.existing = new(o.now.content)
		f.wake.signal()
	}
	o.feeds[f] = &timetable{period: period, due: now.Add(period)}
	return f
}

// leave removes a feed.
func (o *fanOut[T]) leave(f *feed[T]) {
	o.mu.Lock()
	delete(o.feeds, f)
	o.mu.Unlock()
	f.leave()
}

// tell appends what a batch has changed to the log. content is what there is after it; initial says that the batch was the
// first replacement.
//
// The lock is held for no longer than it takes to link the batch. Those who have kept up are woken before anything is merged
// for those who have not.
func (o *fanOut[T]) tell(events []Event[T], content Snapshot[T], initial bool) {
	began, now := o.extend(events, content, initial)
	for _, f := range o.told {
		f.wake.signal()
	}
	for _, f := range o.told {
		f.keepUp(began, now)
	}
	clear(o.told)
}

// extend appends to the log. It returns the position before and the moment after, and leaves in told who is to hear of it.
func (o *fanOut[T]) extend(events []Event[T], content Snapshot[T], initial bool) (began int64, now *moment[T]) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.now.at
	o.now = &moment[T]{before.extend(events, initial), content}
	o.synced = o.synced || initial
	o.told = o.told[:0]
	if o.now.at != before {
		for f := range o.feeds {
			o.told = append(o.told, f)
		}
	}
	return before.position, o.now
}

// update makes content what there is, without telling of it.
func (o *fanOut[T]) update(content Snapshot[T]) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = &moment[T]{o.now.at, content}
}

// begin counts all periods from now: the informer begins to run.
func (o *fanOut[T]) begin(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, t := range o.feeds {
		t.due = now.Add(t.period)
	}
}

// beginResync says whether a resync is due for any feed. Those for which it is are told everything again by the next call of
// finishResync.
func (o *fanOut[T]) beginResync(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	begun := false
	for _, t := range o.feeds {
		if t.period > 0 && !now.Before(t.due) {
			t.due, t.begun, begun = now.Add(t.period), true, true
		}
	}
	return begun
}

func (o *fanOut[T]) finishResync() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for f, t := range o.feeds {
		if t.begun {
			f.resync(o.now)
		}
		t.begun = false
	}
}

// nextResync returns when the next resync is due; ok is false when there is none.
func (o *fanOut[T]) nextResync() (due time.Time, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, t := range o.feeds {
		if t.period > 0 && (!ok || t.due.Before(due)) {
			due, ok = t.due, true
		}
	}
	return due, ok
}
