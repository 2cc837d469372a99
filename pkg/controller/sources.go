package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

// sources are the sources of a controller, which come and go.
type sources[K comparable] struct {
	mu     sync.Mutex
	active []*watch[K]
	closed bool
}

// A watch is a source of a controller.
type watch[K comparable] struct {
	Subscription

	sources *sources[K]
	removed context.Context //nolint:containedctx // is done when it is no source any more
	remove  context.CancelFunc
	waited  bool // by waitForSync
	closing sync.Once
}

// AddSource adds a source until the subscription that is returned is closed; keys that it has added by then stay. Before
// the controller has synced the source is one of those that are waited for. It returns [ErrStopped] when the controller has
// stopped.
func (c *Controller[K]) AddSource(source Source[K]) (Subscription, error) {
	if source == nil {
		return nil, fmt.Errorf("controller %q: the source is nil", c.config.Name)
	}
	w := c.sources.add(source, c.target())
	if w == nil {
		return nil, fmt.Errorf("controller %q: %w", c.config.Name, ErrStopped)
	}
	return w, nil
}

func (c *Controller[K]) target() Target[K] {
	return Target[K]{
		Controller: c.config.Name,
		Add:        c.queue.AddWith,
		Triggers:   c.config.Queue.Triggers > 0,
		Logger:     *c.logger.Load(),
		Clock:      c.config.Clock,
	}
}

// add returns nil if all was closed.
func (s *sources[K]) add(source Source[K], to Target[K]) *watch[K] {
	removed, remove := context.WithCancel(context.Background())
	w := &watch[K]{Subscription: source.Subscribe(to), sources: s, removed: removed, remove: remove}
	if !s.keep(w) {
		w.Close()
		return nil
	}
	return w
}

func (s *sources[K]) keep(w *watch[K]) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.active = append(s.active, w)
	return true
}

// Close removes the source.
func (w *watch[K]) Close() {
	w.sources.drop(w)
	w.remove()
	w.closing.Do(w.Subscription.Close)
}

func (s *sources[K]) drop(w *watch[K]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := slices.Index(s.active, w); at >= 0 {
		s.active = slices.Delete(s.active, at, at+1)
	}
}

// closeAll removes all sources. None is added any more.
func (s *sources[K]) closeAll() {
	s.mu.Lock()
	s.closed = true
	active := slices.Clone(s.active)
	s.mu.Unlock()
	for _, w := range active {
		w.Close()
	}
}

// list returns those that are there now.
func (s *sources[K]) list() []*watch[K] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.active)
}

// syncReport is how often a controller says what it is still waiting for.
const syncReport = 10 * time.Second

// waitForSync waits for all sources, also those that come meanwhile. It returns nil as well when the context is done: then
// nothing is left to do.
func (s *sources[K]) waitForSync(ctx context.Context) error {
	for {
		active := s.list()
		next := slices.IndexFunc(active, func(w *watch[K]) bool { return !w.waited })
		if next < 0 {
			return nil
		}
		if err := active[next].sync(ctx); err != nil {
			return err
		}
		active[next].waited = true
	}
}

// sync waits until the source has synced or was removed, or the context is done.
func (w *watch[K]) sync(ctx context.Context) error {
	for ctx.Err() == nil && w.removed.Err() == nil {
		if synced, err := w.tryToSync(ctx); synced || err != nil {
			return err
		}
	}
	return nil
}

// tryToSync waits for a while. It returns false when there is more to wait for, which it logs, or nobody waits any more.
func (w *watch[K]) tryToSync(ctx context.Context) (synced bool, err error) {
	attempt, cancel := context.WithTimeout(ctx, syncReport)
	defer cancel()
	stop := context.AfterFunc(w.removed, cancel)
	defer stop()
	err = w.WaitForSync(attempt)
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil || w.removed.Err() != nil:
		return false, nil
	case attempt.Err() != nil:
		klog.FromContext(ctx).Info("Still waiting for sync", "err", err)
		return false, nil
	default:
		return false, err
	}
}

// ready returns an error for each source that has not synced.
func (s *sources[K]) ready() error {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	var errs []error
	for _, w := range s.list() {
		if err := w.WaitForSync(now); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
