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
	wake := q.waiting > 0 && !q.waking && (q.core.ready.len() > 0 || q.core.shutDown)
	if wake {
		q.waking = true
	}
	if at := q.nextAlarm(); at < q.alarm.at {
		q.alarm.set(at, at-q.now())
	}
	if q.core.ready.len()+q.core.running.count == 0 {
		q.endDrain()
	}
	if q.metrics == nil {
		q.mu.Unlock()
	} else {
		q.unlockAndTell()
	}
	if wake {
		q.wakeOne()
	}
}

// wakeOne wakes one of those who wait in Take, or the next who comes. That one wakes another if there is more to take:
// so no more are under way than one, and as many wake as are needed.
func (q *Queue[K]) wakeOne() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *Queue[K]) unlockAndTell() {
	told := q.core.report
	q.core.report = report{}
	ended := q.core.shutDown && !q.ended && q.core.ready.len()+q.core.running.count == 0
	q.ended = q.ended || ended
	q.mu.Unlock()
	told.tell(q.metrics)
	if ended {
		q.metrics.Gauges(q.Stats())
	}
}

// nextAlarm returns when the timer has something to do. Delayed keys need it only while somebody waits: everybody else
// who comes looks at the clock.
func (q *Queue[K]) nextAlarm() time.Duration {
	next := never
	if q.waiting > 0 {
		next = q.core.delayed.nextDue()
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
	gauges := q.gaugesAt <= now
	stats := Stats{}
	if gauges {
		stats = q.core.stats(now)
		q.gaugesAt = never // the next unlock sets it again if the queue is still active
	}
	q.unlock()
	if gauges {
		q.metrics.Gauges(stats)
	}
}

func (q *Queue[K]) stopTimer() {
	q.gaugesAt = never
	q.alarm.stop()
}
