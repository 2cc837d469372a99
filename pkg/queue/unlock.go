package queue

import "time"

// unlock releases the lock and does what has become necessary while it was held. It is the only place where a change of
// the core becomes visible outside: somebody who waits is woken, the alarm is set, the metrics are told.
func (q *Queue[K]) unlock() {
	if q.waiting == 0 && q.metrics == nil && q.drained == nil {
		q.mu.Unlock()
	} else {
		q.unlockAndAct()
	}
}

func (q *Queue[K]) unlockAndAct() {
	wake := q.wakes()
	if wake {
		q.waking = true
	}
	if at := q.nextAlarm(); at < q.alarm.at {
		q.alarm.set(at, at-q.now())
	}
	if q.core.unfinished() == 0 {
		q.endDrain()
	}
	told, ended := q.takeReport()
	q.mu.Unlock()
	if wake {
		q.wakeOne() // before the metrics, which may be slow
	}
	if q.metrics != nil {
		told.tell(q.metrics)
	}
	if ended {
		q.metrics.Gauges(q.Status())
	}
}

// takeReport returns what the metrics are to be told, and whether nothing will follow.
func (q *Queue[K]) takeReport() (told report, ended bool) {
	if q.metrics == nil {
		return report{}, false
	}
	told = q.core.report
	q.core.report = report{}
	ended = q.core.shutDown && !q.ended && q.core.unfinished() == 0
	q.ended = q.ended || ended
	return told, ended
}

// wakeOne wakes one of those who wait in Take, or the next who comes. That one wakes another if there is more to take:
// so no more are under way than one, and as many wake as are needed.
func (q *Queue[K]) wakeOne() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// nextAlarm returns when the timer has something to do. Delayed keys need it only while somebody waits: everybody else
// who comes looks at the clock.
func (q *Queue[K]) nextAlarm() time.Duration {
	next := never
	if q.waiting > 0 {
		next = min(q.core.delayed.nextDue(), q.patience.wakeAt)
	}
	if q.metrics != nil {
		next = min(next, q.nextGauges())
	}
	return next
}

// nextGauges returns when the metrics want to see the gauges: a while after the queue has become active.
func (q *Queue[K]) nextGauges() time.Duration {
	if q.gaugesAt == never && !q.core.shutDown && q.core.active() {
		q.gaugesAt = q.now() + GaugeInterval
	}
	return q.gaugesAt
}

// tick is called by the alarm.
func (q *Queue[K]) tick() {
	now := q.now()
	q.mu.Lock()
	q.alarm.at = never
	q.core.promote(now)
	if q.patience.wakeAt <= now {
		q.endPatience(now)
	}
	gauges := q.gaugesAt <= now
	status := Status{}
	if gauges {
		status = q.core.status(now)
		q.gaugesAt = never // the next unlock sets it again if the queue is still active
	}
	q.unlock()
	if gauges {
		q.metrics.Gauges(status)
		q.tellEndAgain()
	}
}

// tellEndAgain makes sure that the last gauges are those of the end, if that was told while others were.
func (q *Queue[K]) tellEndAgain() {
	q.mu.Lock()
	ended := q.ended
	q.mu.Unlock()
	if ended {
		q.metrics.Gauges(q.Status())
	}
}

func (q *Queue[K]) stopTimer() {
	q.gaugesAt, q.patience.wakeAt = never, never
	q.alarm.stop()
}
