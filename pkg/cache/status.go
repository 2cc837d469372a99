package cache

import (
	"sync"
	"time"
)

// Status says what a [Reflector] or an [Informer] has done since it started.
type Status struct {
	Lists   int // list requests begun, whatever their number of pages
	Watches int // watches opened
	Events  int // events received and passed on, bookmarks included
	Skipped int // objects and events that could not be used
	Listed  int // objects in the last list

	// Connected says that a watch is open now.
	Connected bool
	// Of an Informer.
	Refused     int // changes that were older than the cached object, and not applied
	Epochs      int // times that the server's resource versions went back as a whole
	Quarantined int // objects in quarantine now
	Failures    int // transforms and index functions that have failed

	// LastError is the error of the last request, nil when it ended well.
	LastError error
}

// BatchStats are about one batch that an [Informer] has applied.
type BatchStats struct {
	Events          int           // told to each subscription
	Waiting         int           // changes that wait meanwhile
	Took            time.Duration // to apply it and to tell of it, without the time in handlers
	ResourceVersion string        // of the indexer after it
}

type status struct {
	mu      sync.Mutex
	current Status
}

func (s *status) get() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

func (s *status) update(change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.current)
}

func (s *status) listing() { s.update(func(c *Status) { c.Lists++ }) }

func (s *status) listed(n int) { s.update(func(c *Status) { c.Listed = n }) }

func (s *status) watching() {
	s.update(func(c *Status) { c.Watches, c.Connected, c.LastError = c.Watches+1, true, nil })
}

func (s *status) received() { s.update(func(c *Status) { c.Events++ }) }

func (s *status) skipped() { s.update(func(c *Status) { c.Skipped++ }) }

func (s *status) ended(o outcome) {
	s.update(func(c *Status) { c.Connected, c.LastError = false, o.err })
}

func (s *status) disconnected() { s.update(func(c *Status) { c.Connected = false }) }
