package events

import "maps"

// A Cause says why an event never reached the API server.
type Cause string

// The causes.
const (
	Invalid     Cause = "invalid"     // no object, an object of unknown kind, no reason or an unknown type
	Limited     Cause = "limited"     // too many Events of one object: see Config.Burst
	Full        Cause = "full"        // too many Events wait: see Config.Buffer
	Rejected    Cause = "rejected"    // the server does not want it, for instance in a namespace that terminates
	Unavailable Cause = "unavailable" // not written within Config.RetryFor
	Stopped     Cause = "stopped"     // not written when Run returned, or recorded afterwards
)

// A Status says what became of the events. Each event that was recorded is sent, buffered or dropped:
//
//	Recorded = Sent + Buffered + the sum of Dropped
type Status struct {
	// Recorded is how many events were recorded.
	Recorded int

	// Sent is how many of them the API server has, as an Event or in the count of one.
	Sent int

	// Buffered is how many are to be sent, now or when [Config.UpdateInterval] permits.
	Buffered int

	// Dropped is how many are lost, by cause.
	Dropped map[Cause]int

	// Merged is how many made no new Event, since there was one to count them in. Combined is how many were too many similar
	// ones: see [Config.Similar].
	Merged, Combined int

	// Created and Updated are the writes that the server has accepted.
	Created, Updated int

	// Retries is how many writes failed for now.
	Retries int
}

func (s *Status) clone() Status {
	status := *s
	status.Dropped = maps.Clone(s.Dropped)
	return status
}

func (s *Status) drop(cause Cause, n int) {
	if n > 0 {
		s.Dropped[cause] += n
	}
}
