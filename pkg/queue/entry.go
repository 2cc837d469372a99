package queue

import "time"

// An entry is everything the queue knows of one key: whether it is running, and what is pending. Exactly these
// combinations occur:
//
//	pending  scheduled  meaning                                   is in
//	idle     no         done; remembered for a while              the table alone
//	idle     yes        delayed: waits for its time               the schedule
//	ready    no         waits for a worker                        a lane
//	ready    promised   and will again when that is due           a lane, the schedule
//	parked   no         failed too often, waits for a person      the parked list
//
//	running and
//	idle     no         nothing pending                           the running list
//	idle     yes        again when due                            the running list, the schedule
//	ready    no         again right after                         the running list
//	ready    promised   and again when that is due                the running list, the schedule
//
// Times are measured from the start of the queue.
type entry[K comparable] struct {
	key        K
	next, prev *entry[K] // neighbours in the one list that it is on
	tenant     *tenant[K]
	extra      *extra // nil until it is needed; kept with the entry when that is used again

	since    time.Duration // when it was taken, if it is running, or else when it became ready
	run      uint32        // which of the queue's runs its last one is; they may wrap around
	position int32         // scheduled: index in the schedule
	failures int32         // in a row

	pending   pending
	running   bool
	scheduled bool
	promised  bool  // scheduled: this is a run of its own, which no earlier one replaces
	firm      bool  // ready: the failure of the run before does not put it off
	kept      bool  // it is in a ring of the table
	wait      Wait  // scheduled: what for
	class     class // of what is pending, or else of the last run
	runClass  class // of the run that is running
}

// A pending says where the next run of a key stands, if it is not only scheduled.
type pending uint8

const (
	idle pending = iota // nowhere
	ready
	parked
)

// An extra holds what few entries need.
type extra struct {
	triggers *Triggers // of the pending run
	lastErr  error     // of the last failure
	parkedAt time.Duration

	seen      bool          // an event was
	lastEvent time.Duration // when that was
	quietBy   time.Duration // when the wait for quiet ends at the latest
}

// more returns the entry's extra, made if needed.
func (e *entry[K]) more() *extra {
	if e.extra == nil {
		e.extra = new(extra)
	}
	return e.extra
}

// active says whether the entry stands for something to do.
func (e *entry[K]) active() bool { return e.running || e.awaits() }

// awaits says whether anything is pending.
func (e *entry[K]) awaits() bool { return e.pending != idle || e.scheduled }

// queued says whether the entry is in a lane.
func (e *entry[K]) queued() bool { return e.pending == ready && !e.running }

// inBackOff says whether the entry waits for its retry.
func (e *entry[K]) inBackOff() bool { return e.scheduled && e.wait == WaitBackOff }

// reset makes the entry as new, for another key.
func (e *entry[K]) reset() {
	more := e.extra
	if more != nil {
		*more = extra{}
	}
	*e = entry[K]{extra: more}
}
