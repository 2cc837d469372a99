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
	removed chan struct{} // closed when it is no source any more
	waited  bool          // by waitForSync
}

// AddSource adds a source until the subscription that is returned is closed; keys that it has added by then stay. Before
// the controller has synced the source is one of those that are waited for. It returns [ErrStopped] when the controller has
// stopped.
func (c *Controller[K]) AddSource(source Source[K]) (Subscription, error) {
	if source == nil {
		return nil, fmt.Errorf("controller %q: the source is nil", c.config.Name)
	}
	w := c.sources.add(source, c.target(c.config.Logger))
	if w == nil {
		return nil, fmt.Errorf("controller %q: %w", c.config.Name, ErrStopped)
	}
	return w, nil
}

func (c *Controller[K]) target(logger klog.Logger) Target[K] {
	return Target[K]{
		Controller: c.config.Name,
		Add:        c.queue.AddWith,
		Triggers:   c.config.Queue.Triggers > 0,
		Logger:     logger,
	}
}

// add returns nil if all was closed.
func (s *sources[K]) add(source Source[K], to Target[K]) *watch[K] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	w := &watch[K]{Subscription: source.Subscribe(to), sources: s, removed: make(chan struct{})}
	s.active = append(s.active, w)
	return w
}

// Close removes the source.
func (w *watch[K]) Close() {
	if w.sources.remove(w) {
		close(w.removed)
	}
	w.Subscription.Close()
}

func (s *sources[K]) remove(w *watch[K]) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.Index(s.active, w)
	if at < 0 {
		return false
	}
	s.active = slices.Delete(s.active, at, at+1)
	return true
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
	for ctx.Err() == nil && !w.isRemoved() {
		synced, err := w.tryToSync(ctx)
		if synced || err != nil && !w.isRemoved() {
			return err
		}
	}
	return nil
}

// tryToSync waits for a while. It returns false when there is more to wait for, which it logs, or nobody waits any more.
func (w *watch[K]) tryToSync(ctx context.Context) (synced bool, err error) {
	attempt, cancel := context.WithTimeout(ctx, syncReport)
	defer cancel()
	err = w.WaitForSync(attempt)
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil:
		return false, nil
	case attempt.Err() != nil:
		klog.FromContext(ctx).Info("Still waiting for sync", "reason", err)
		return false, nil
	default:
		return false, err
	}
}

func (w *watch[K]) isRemoved() bool {
	select {
	case <-w.removed:
		return true
	default:
		return false
	}
}

// ready returns an error for each source that has not synced.
func (s *sources[K]) ready() error {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	var errs []error
	for _, w := range s.list() {
		if err := w.WaitForSync(now); err != nil && !w.isRemoved() {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
