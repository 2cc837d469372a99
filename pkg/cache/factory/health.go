package factory

import (
	"context"
	"errors"
	"slices"

	"github.com/sluice-k8s/sluice/pkg/cache"
)

// WaitForSync waits until all informers have synced that exist when it is called. Otherwise it returns an error for each
// that has not, with the reason as far as it is known, or [cache.ErrStopped]. One that is released meanwhile is not waited
// for. Before Run it waits for that, too, unless there are no informers yet.
func (f *Factory) WaitForSync(ctx context.Context) error { return f.waitForSync(ctx, nil) }

// Ready returns nil while all informers are ready, see [cache.Informer.Ready]; else an error for each that is not. Before and
// after Run it returns an error.
func (f *Factory) Ready() error { return f.ready(nil) }

// Statuses says how the informers are doing, in the order of their identities: for metrics, and for people.
func (f *Factory) Statuses() []Status { return f.statuses(nil) }

// A Status says how an informer of a [Factory] is doing.
type Status struct {
	Identity      Identity
	Namespaces    []string // that are read now, one by one, in order; nil if that is not how it reads
	Leases        int      // how many hold it
	Objects       int
	Synced        bool
	Unready       error // of [cache.Informer.Ready], nil if it is ready
	Reading       cache.Status
	Subscriptions []cache.SubscriptionStatus
}

// sortedLocked returns the entries of a cluster, of all if it is nil.
func (f *Factory) sortedLocked(of *Cluster) []*entry {
	var entries []*entry
	for _, e := range f.entries {
		if of == nil || e.cluster == of {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b *entry) int { return a.id.compare(b.id) })
	return entries
}

func (f *Factory) waitForSync(ctx context.Context, of *Cluster) error {
	entries, err := f.alive(of)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if err := e.informer.WaitForSync(ctx); err != nil && !e.removed.Load() {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (f *Factory) ready(of *Cluster) error {
	f.mu.Lock()
	begun := f.state != created
	f.mu.Unlock()
	if !begun {
		return errNotRunning
	}
	entries, err := f.alive(of)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		errs = append(errs, e.informer.Ready())
	}
	return errors.Join(errs...)
}

// alive returns the entries of a cluster, of all if it is nil, or that it has ended.
func (f *Factory) alive(of *Cluster) ([]*entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if of == nil {
		return f.sortedLocked(nil), f.usableLocked()
	}
	return f.sortedLocked(of), of.usableLocked()
}

func (f *Factory) statuses(of *Cluster) []Status {
	f.mu.Lock()
	entries := f.sortedLocked(of)
	statuses := make([]Status, len(entries))
	for n, e := range entries {
		statuses[n] = Status{Identity: e.id, Leases: e.leases}
	}
	f.mu.Unlock()
	for n, e := range entries {
		e.describe(&statuses[n])
	}
	return statuses
}

// describe adds what the informer says of itself.
func (e *entry) describe(s *Status) {
	if e.namespaces != nil {
		s.Namespaces = inOrder(e.namespaces())
	}
	s.Objects, s.Synced, s.Unready = e.objects(), e.informer.HasSynced(), e.informer.Ready()
	s.Reading, s.Subscriptions = e.informer.Status(), e.informer.Subscriptions()
}
