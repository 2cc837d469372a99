package queue

import "time"

// An entry is everything the queue knows of one key: whether it is running, and its pending run. Exactly these
// combinations occur:
//
//	pending  running  meaning                                     is in
//	idle     false    done; remembered for a while                the table alone
//	idle     true     being processed, nothing pending            the running list
//	delayed  false    waits for its time                          the schedule
//	delayed  true     being processed, and again when due         the schedule and the running list
//	ready    false    waits for a worker                          a lane
//	ready    true     being processed, and again right after      the running list
//	parked   false    failed too often, waits for a person        the parked list
//
// Times are measured from the start of the queue.
type entry[K comparable] struct {
	key        K
	next, prev *entry[K] // neighbours in the one list that it is on
	tenant     *tenant[K]
	extra      *extra // nil until it is needed; kept with the entry when that is used again

	since    time.Duration // when it was taken, if it is running, or else when it became ready
	run      uint32        // which of the queue's runs its last one is; they may wrap around
	position int32         // delayed: index in the schedule
	failures int32         // in a row

	pending  pending
	running  bool
	firm     bool  // running: another run right after is asked for, whatever becomes of this one
	promised bool  // running: likewise another run when extra.promise is due
	kept     bool  // it is in a ring of the table
	wait     Wait  // delayed: what for
	class    class // of the pending run, or else of the last
	runClass class // of the run that is running
}

// A pending says where the next run of a key stands.
type pending uint8

const (
	idle pending = iota // none
	delayed
	ready
	parked
)

// An extra holds what few entries need.
type extra struct {
	triggers *Triggers // of the pending run
	lastErr  error     // of the last failure
	parkedAt time.Duration

	promise time.Duration // when a run was promised, if that is so

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
func (e *entry[K]) active() bool { return e.running || e.pending != idle }

// queued says whether the entry is in a lane.
func (e *entry[K]) queued() bool { return e.pending == ready && !e.running }

// place returns where the pending run is counted; nowhere if it comes right after the one that is running.
func (e *entry[K]) place() (where place, counted bool) {
	switch {
	case e.queued():
		return inReady, true
	case e.pending == delayed:
		return inDelayed, true
	case e.pending == parked && !e.running:
		return inParked, true
	default:
		return 0, false
	}
}

// inBackOff says whether the entry waits for its retry.
func (e *entry[K]) inBackOff() bool { return e.pending == delayed && e.wait == WaitBackOff }

// promiseBy notes that an entry that is running shall run again at the given time, whatever becomes of this run.
func (e *entry[K]) promiseBy(due time.Duration) {
	x := e.more()
	if !e.promised || due < x.promise {
		e.promised, x.promise = true, due
	}
}

// reset makes the entry as new, for another key.
func (e *entry[K]) reset() {
	more := e.extra
	if more != nil {
		*more = extra{}
	}
	*e = entry[K]{extra: more}
}
