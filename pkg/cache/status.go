package cache

import (
	"maps"
	"sync"
	"time"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/protocol"
)

// Status says what a [Reflector] or an [Informer] has done since it started.
type Status struct {
	Lists     int // requests for all objects, whatever their number of pages, initial events included
	Watches   int // watches opened
	Events    int // events received and passed on, bookmarks included
	Bookmarks int // of these
	Skipped   int // objects and events that could not be used and of which not even the key is known
	Listed    int // objects in the last list

	// Relists says how often all objects were asked for, by cause, such as "start" or "version expired"; one that is asked for
	// again, since it failed, counts once. See docs/protocol.md.
	Relists map[string]int
	// Endings are the requests that have ended, by how, such as "watch closed". See docs/protocol.md.
	Endings map[string]int

	// Connected says that a watch is open now.
	Connected bool
	// LastList, LastEvent and LastBookmark are when the last one came; zero if none has.
	LastList, LastEvent, LastBookmark time.Time
	// Fresh is when the server last showed that it is in touch: by a list, an event, a bookmark, or, when it had been silent, by
	// the answer that its version is not older than what was seen; zero if never. With
	// several namespaces it is that of the one that is behind most.
	Fresh time.Time

	Audits        int // comparisons with the server that came to an end, see Config.AuditInterval
	AuditsGivenUp int // that did not, because of an error or because the cache did not get that far in time
	Divergent     int // objects of which an audit found the cache wrong

	// LastError is the error of the last request, nil when it ended well, and FailingSince when the first of the requests
	// in a row ended that did not; zero if the last did.
	LastError    error
	FailingSince time.Time

	// Of an Informer.
	Refused     int // changes that were older than the cached object, and not applied
	Epochs      int // times that the server's resource versions went back as a whole
	Quarantined int // objects in quarantine now
	Failures    int // transforms, index functions and decoding that have failed
}

// BatchStats are about one batch that an [Informer] has applied.
type BatchStats struct {
	Events          int           // told to each subscription
	Waiting         int           // changes that wait meanwhile
	Took            time.Duration // to apply it and to tell of it, without the time in handlers
	ResourceVersion string        // of the indexer after it
}

type status struct {
	now func() time.Time

	mu      sync.Mutex
	current Status
}

func (s *status) init(config Config) {
	s.now = config.Clock.Now
	s.current.Relists, s.current.Endings = make(map[string]int), make(map[string]int)
}

func (s *status) get() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.current
	current.Relists, current.Endings = maps.Clone(current.Relists), maps.Clone(current.Endings)
	return current
}

func (s *status) update(change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.current)
}

func (s *status) asking(next protocol.Request) {
	if next.Mode != protocol.List && next.Mode != protocol.WatchList {
		return
	}
	s.update(func(c *Status) {
		c.Lists++
		if !next.Again {
			c.Relists[string(next.Cause)]++
		}
	})
}

func (s *status) listed(n int, now time.Time) {
	s.update(func(c *Status) {
		c.Listed, c.LastList, c.Fresh = n, now, now
		c.LastError, c.FailingSince = nil, time.Time{}
	})
}

// watching notes that a watch is open: the server lets the informer read, which is not to say that anything comes.
func (s *status) watching() {
	s.update(func(c *Status) {
		c.Watches, c.Connected = c.Watches+1, true
		if isDenied(c.LastError) {
			c.LastError, c.FailingSince = nil, time.Time{}
		}
	})
}

func (s *status) received(now time.Time) {
	s.update(func(c *Status) {
		c.Events, c.LastEvent, c.Fresh = c.Events+1, now, now
		c.LastError, c.FailingSince = nil, time.Time{}
	})
}

func (s *status) bookmarked(now time.Time) {
	s.update(func(c *Status) { c.Bookmarks, c.LastBookmark = c.Bookmarks+1, now })
}

func (s *status) fresh(now time.Time) { s.update(func(c *Status) { c.Fresh = now }) }

func (s *status) skipped() { s.update(func(c *Status) { c.Skipped++ }) }

func (s *status) ended(outcome protocol.Outcome, err error) {
	s.update(func(c *Status) {
		c.Connected, c.LastError = false, err
		c.Endings[outcome.Mode.String()+" "+outcome.Ending.String()]++
		switch {
		case err == nil:
			c.FailingSince = time.Time{}
		case c.FailingSince.IsZero():
			c.FailingSince = s.now()
		}
	})
}

func (s *status) audited(divergent int, err error) {
	s.update(func(c *Status) {
		if err != nil {
			c.AuditsGivenUp++
			return
		}
		c.Audits, c.Divergent = c.Audits+1, c.Divergent+divergent
	})
}

func (s *status) disconnected() { s.update(func(c *Status) { c.Connected = false }) }
