package cache

import (
	"context"
	"fmt"
	"time"
)

// HasSynced says whether the indexer holds what the first list found, or newer.
func (i *Informer[T]) HasSynced() bool { return isClosed(i.synced) }

// Synced returns a channel that is closed when HasSynced becomes true.
func (i *Informer[T]) Synced() <-chan struct{} { return i.synced }

// WaitForSync waits until the indexer holds what the first list found. Otherwise it returns the context's error, or else
// [ErrStopped], with the reason as far as it is known.
func (i *Informer[T]) WaitForSync(ctx context.Context) error {
	select {
	case <-i.synced:
	case <-i.stopped:
	case <-ctx.Done():
	}
	if i.HasSynced() {
		return nil
	}
	err := ctx.Err()
	if err == nil {
		err = ErrStopped
	}
	return fmt.Errorf("cache: informer %q has not synced: %w", i.config.Name, i.reason(err))
}

// reason adds to err what keeps the informer from being synced, as far as that is known.
func (i *Informer[T]) reason(err error) error {
	if i.stateNow() == created {
		return fmt.Errorf("%w: %w", err, errNotRunning)
	}
	for _, s := range i.scopesNow() {
		if trouble := s.trouble(i.config.Clock.Now()); trouble != nil && !s.isListed() {
			return fmt.Errorf("%w: %w", err, trouble)
		}
	}
	return err
}

func (i *Informer[T]) stateNow() state {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.state
}

// Ready returns nil while the cache is of use: it has been filled, the server lets the informer read on, and something has
// shown within [Config.MaxStaleness] that nothing is missing. Else it returns why not, for a probe of readiness.
func (i *Informer[T]) Ready() error {
	if err := i.unready(); err != nil {
		return fmt.Errorf("cache: informer %q is not ready: %w", i.config.Name, err)
	}
	return nil
}

func (i *Informer[T]) unready() error {
	switch i.stateNow() {
	case created:
		return errNotRunning
	case ended:
		return ErrStopped
	}
	for _, s := range i.scopesNow() {
		if err := s.unready(i.config.Clock.Now()); err != nil {
			return err
		}
	}
	return nil
}

// Status returns what the informer has asked the server for, and got, in all its namespaces.
func (i *Informer[T]) Status() Status {
	var all Status
	for n, s := range i.scopesNow() {
		if one := s.reflector.Status(); n == 0 {
			all = one
		} else {
			all.merge(one)
		}
	}
	all.Quarantined, all.Failures = i.quarantine.count()
	all.Refused, all.Epochs = i.indexer.Refused(), i.epochNow()
	return all
}

func (i *Informer[T]) epochNow() int {
	i.writing.Lock()
	defer i.writing.Unlock()
	return i.epoch
}

// merge adds the status of another stream. What can't be added is that of the worse one.
func (s *Status) merge(o Status) {
	s.Lists, s.Watches, s.Events, s.Bookmarks = s.Lists+o.Lists, s.Watches+o.Watches, s.Events+o.Events, s.Bookmarks+o.Bookmarks
	s.Skipped, s.Listed = s.Skipped+o.Skipped, s.Listed+o.Listed
	s.Audits, s.AuditsGivenUp, s.Divergent = s.Audits+o.Audits, s.AuditsGivenUp+o.AuditsGivenUp, s.Divergent+o.Divergent
	for cause, n := range o.Relists {
		s.Relists[cause] += n
	}
	for ending, n := range o.Endings {
		s.Endings[ending] += n
	}
	s.Connected = s.Connected && o.Connected
	s.LastList, s.LastEvent = latest(s.LastList, o.LastList), latest(s.LastEvent, o.LastEvent)
	s.LastBookmark = latest(s.LastBookmark, o.LastBookmark)
	if o.Fresh.Before(s.Fresh) {
		s.Fresh = o.Fresh
	}
	if o.LastError != nil && (s.LastError == nil || o.FailingSince.Before(s.FailingSince)) {
		s.LastError, s.FailingSince = o.LastError, o.FailingSince
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
