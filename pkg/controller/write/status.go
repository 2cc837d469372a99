package write

import "sync/atomic"

// A Status says what a [Writer] has done since it was made. The first five count requests that the API server has accepted.
type Status struct {
	Created, Updated, Patched, Applied, Deleted int
	// Unchanged counts calls that sent nothing, because there was nothing to change.
	Unchanged int
	// NoOps counts the requests among Updated, Patched and Applied that the API server found nothing to change for. Many of
	// them mean that the program and the server disagree on the same fields again and again: on defaults, for instance.
	NoOps int
	// Conflicts counts requests refused with 409 Conflict, those that were tried again included.
	Conflicts int
}

type counter = atomic.Int64

type counts struct {
	created, updated, patched, applied, deleted, unchanged, noOps, conflicts counter
}

func (c *counts) status() Status {
	return Status{
		Created:   int(c.created.Load()),
		Updated:   int(c.updated.Load()),
		Patched:   int(c.patched.Load()),
		Applied:   int(c.applied.Load()),
		Deleted:   int(c.deleted.Load()),
		Unchanged: int(c.unchanged.Load()),
		NoOps:     int(c.noOps.Load()),
		Conflicts: int(c.conflicts.Load()),
	}
}

// sent returns the effect of a request, and counts one that changed nothing.
func (c *counts) sent(effect Effect) Effect {
	if effect == Unchanged {
		c.noOps.Add(1)
	}
	return effect
}
