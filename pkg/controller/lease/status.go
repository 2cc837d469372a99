package lease

import "time"

// A Status says how an election stands, for health pages and metrics. Its times are those of the wall clock.
type Status struct {
	Identity    string // of this process
	Holder      string // of the lease, as it was seen last; empty if nobody holds it
	Transitions int    // of the lease from one holder to the next, as it was seen last

	Leading bool      // this process may write
	Standby error     // why it may not, wrapping [ErrNotLeader]; nil while it leads
	Since   time.Time // when the request was sent by which it got the lease; zero before
	Renewed time.Time // when the last one was sent that renewed it
	Expires time.Time // when it may not write any longer without another

	Refused int   // writes, by the fence
	Trouble error // of the last attempt to get or renew the lease, nil if there was none
}

// Ready returns nil while this process leads, or stands by for one that does, as far as the last look at the Lease told. Else it
// returns why not, for a probe of readiness: what can't get at the Lease is no standby.
func (e *Elector) Ready() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	standsBy := e.held == nil && e.trouble == nil && e.machine.holder() != ""
	if standsBy {
		return nil
	}
	return e.fence.Allowed()
}

// Status returns how the election stands.
func (e *Elector) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Status{
		Identity:    e.config.Identity,
		Holder:      e.machine.holder(),
		Transitions: int(e.machine.transitions()),
		Standby:     e.fence.Allowed(),
		Since:       e.since,
		Refused:     e.fence.Refused(),
		Trouble:     e.trouble,
	}
	s.Leading = s.Standby == nil
	if e.held != nil {
		s.Renewed = e.fence.renewed().wall
		s.Expires = s.Renewed.Add(e.config.RenewDeadline)
	}
	return s
}
