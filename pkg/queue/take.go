package queue

import (
	"context"
	"time"
)

// An Item is a key that was taken from a queue, and what the queue knows of this run.
type Item[K comparable] struct {
	Key K

	// Attempt is 1 if the key did not fail last time, and one more for each failure in a row.
	Attempt int

	// Priority is the class in which the key was served.
	Priority Priority

	// ReadyAt is when the key became ready to be taken: when it was added, its delay was over, or it was done after being
	// added while it was processed. It is zero unless the queue keeps times: see [Config.Timed].
	ReadyAt time.Time

	// TakenAt is when the key was taken. It is zero unless the queue keeps times.
	TakenAt time.Time

	// Triggers are the causes of this run, nil if the queue does not keep them: see [Config.Triggers].
	Triggers *Triggers

	queue *Queue[K]
	entry *entry[K]
	run   uint32
}

// Take waits for a key and hands it out; the caller must call [Queue.Finish] with the item, or [Queue.Done] with the key.
// It prefers a ready key to a context that is done, unless it waits because another worker is enough, see
// [Queue.FinishAndTake]. Otherwise it returns the context's error, or [ErrShutDown] when the queue is shut down and empty.
func (q *Queue[K]) Take(ctx context.Context) (item Item[K], err error) {
	_, err = q.take(ctx, &item)
	return item, err
}

// take waits for a key and hands it out. It fills in the item unless that is nil.
func (q *Queue[K]) take(ctx context.Context, item *Item[K]) (key K, err error) {
	for woken := false; ; {
		key, ok, err := q.tryTake(ctx, woken, item)
		if ok || err != nil {
			return key, err
		}
		if woken = q.wait(ctx); !woken {
			q.stopWaiting()
			return key, ctx.Err()
		}
	}
}

// tryTake hands out a key, if one is ready. Without one and without an error the caller counts as waiting.
func (q *Queue[K]) tryTake(ctx context.Context, woken bool, item *Item[K]) (key K, ok bool, err error) {
	q.mu.Lock()
	defer q.unlock()
	if woken {
		q.waking = false
		q.leave()
	}
	now := q.timeIf(false)
	if q.oneIsEnough(now) && ctx.Err() == nil {
		q.waiting++
		return key, false, nil
	}
	if e, readyAt := q.core.take(now); e != nil {
		q.describe(e, readyAt, item)
		return e.key, true, nil
	}
	if q.core.shutDown {
		return key, false, ErrShutDown
	}
	if err := ctx.Err(); err != nil {
		return key, false, err
	}
	q.waiting++
	return key, false, nil
}

// describe fills in the item of an entry that was taken, if somebody wants one.
func (q *Queue[K]) describe(e *entry[K], readyAt time.Duration, item *Item[K]) {
	triggers := e.takeTriggers()
	if item == nil {
		return
	}
	item.Key, item.Attempt, item.Priority = e.key, int(e.failures)+1, e.runClass.priority()
	item.ReadyAt, item.TakenAt, item.Triggers = q.core.stamp(readyAt), q.core.stamp(e.since), triggers
	item.queue, item.entry, item.run = q, e, e.run
}

// takeTriggers takes the triggers out of the entry.
func (e *entry[K]) takeTriggers() *Triggers {
	if e.extra == nil {
		return nil
	}
	triggers := e.extra.triggers
	e.extra.triggers = nil
	return triggers
}

// wait returns true when it was woken, and false when the context is done.
func (q *Queue[K]) wait(ctx context.Context) bool {
	done := ctx.Done()
	if done == nil {
		<-q.wake
		return true
	}
	select {
	case <-q.wake:
		return true
	case <-done:
		return false
	}
}

func (q *Queue[K]) stopWaiting() {
	q.mu.Lock()
	defer q.unlock()
	q.leave()
}

// leave notes that a caller does not wait any more. If nobody does, the alarm has nobody to call.
func (q *Queue[K]) leave() {
	q.waiting--
	if q.waiting > 0 {
		return
	}
	q.patience.wakeAt = never
	if q.gaugesAt == never {
		q.alarm.stop()
	}
}

// Finish ends the processing of an item and says how it went; what happens to the key next follows from that, see
// [Outcome], and from what was added meanwhile. It does nothing when the item is not being processed any more. An item
// of another queue is none; one with nothing but a key stands for the run of that key that is under way, for those who
// took it by [Queue.Get].
func (q *Queue[K]) Finish(item Item[K], outcome Outcome) {
	q.mu.Lock()
	defer q.unlock()
	e := q.entryOf(&item)
	if e == nil {
		return
	}
	q.core.finish(e, item.Triggers, outcome, q.timeOfEnd(e, outcome))
}

// FinishAndTake is [Queue.Finish] and, without waiting, [Queue.Take]: it puts the next key that is ready in the place of the
// item. It returns false if there is none, or another worker is enough; then Take waits for one. A worker that is busy spares
// itself every second round of the queue's lock, which others want as well.
//
// Another worker is enough while runs are so quick, less than a microsecond, that it has done everything before a second one
// could help. That one gets a key as soon as none was taken for 50 µs. It needs [Config.Timed], or what implies it.
func (q *Queue[K]) FinishAndTake(item *Item[K], outcome Outcome) bool {
	q.mu.Lock()
	defer q.unlock()
	now := q.timeIf(outcome.kind != succeeded)
	if e := q.entryOf(item); e != nil {
		q.patience.note(now - e.since)
		q.core.finish(e, item.Triggers, outcome, now)
	}
	if q.oneIsEnough(now) {
		return false
	}
	e, readyAt := q.core.take(now)
	if e == nil {
		return false
	}
	q.describe(e, readyAt, item)
	return true
}

// entryOf returns the entry of an item that is being processed, or nil.
func (q *Queue[K]) entryOf(item *Item[K]) *entry[K] {
	switch e := item.entry; {
	case e == nil:
		return q.core.runningEntry(item.Key)
	case item.queue == q && e.running && e.run == item.run:
		return e
	default:
		return nil
	}
}
