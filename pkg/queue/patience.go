package queue

import "time"

// A patience knows when one worker is enough. While runs take less time than it takes to wake somebody, the worker that is at
// it is often done with everything before another is up; and two would be in each other's way, at the lock and in the caches
// of their processors. So the others wait, though keys are ready, until none was taken for a moment.
type patience struct {
	quick  int           // how sure it is that runs are quick, from 0 to quiteSure
	wakeAt time.Duration // when one of those who wait is woken, if keys are ready then, or never
}

const (
	quick     = time.Microsecond
	moment    = 50 * time.Microsecond
	sure      = 4 // with more quick runs than others, of late
	quiteSure = 8
)

// note notes how long a run took whose worker goes on. If it took no time at all, time stands still while anything runs, as it
// does in tests: there nobody waits in vain.
func (p *patience) note(took time.Duration) {
	switch {
	case took <= 0 || took >= moment:
		p.quick = 0
	case took < quick:
		p.quick = min(p.quick+1, quiteSure)
	default:
		p.quick = max(p.quick-1, 0)
	}
}

// putOff has somebody woken a moment after the time, if not earlier.
func (p *patience) putOff(takenAt time.Duration) {
	if p.wakeAt == never {
		p.wakeAt = takenAt + moment
	}
}

// quickRun returns the last run if another worker may be needless because of it, or nil.
func (q *Queue[K]) quickRun() *entry[K] {
	if q.patience.quick < sure || q.core.shutDown {
		return nil
	}
	return q.core.running.tail
}

// oneIsEnough says whether a worker that is at it makes another one needless.
func (q *Queue[K]) oneIsEnough(now time.Duration) bool {
	last := q.quickRun()
	return last != nil && now-last.since < moment
}

// wakes says whether one of those who wait is to be woken now. It may put that off.
func (q *Queue[K]) wakes() bool {
	if q.waiting == 0 || q.waking || q.core.ready.len() == 0 && !q.core.shutDown {
		return false
	}
	if last := q.quickRun(); last != nil {
		q.patience.putOff(last.since)
		return false
	}
	return true
}

// endPatience is called when somebody was to be woken, unless keys were taken meanwhile.
func (q *Queue[K]) endPatience(now time.Duration) {
	q.patience.wakeAt = never
	if !q.oneIsEnough(now) {
		q.patience.quick = 0
	}
}
