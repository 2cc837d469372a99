package cache

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// waiters holds those who wait for a resource version, or for a change. While nobody waits it costs next to nothing. The
// zero value is ready.
type waiters struct {
	count atomic.Int64 // of those who are in a list or about to be

	mu       sync.Mutex
	list     []waiter     // the newest version first
	watching []chan error // each gets one value: nil when something has changed
	end      error        // what everybody gets from now on
}

type waiter struct {
	version string
	done    chan error // gets one value
}

// wait waits until the version is reached. current returns the version now.
func (w *waiters) wait(ctx context.Context, version string, current func() string) error {
	if _, err := resourceversion.CompareResourceVersion(version, version); err != nil {
		return fmt.Errorf("cache: wait for resource version %q: %w", version, err)
	}
	w.count.Add(1)
	defer w.count.Add(-1)
	done := w.add(version)
	defer w.remove(done)
	if reached(current(), version) { // after add: what comes later is told
		return nil
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("cache: wait for resource version %q, the cache is at %q: %w", version, current(), ctx.Err())
	}
}

func (w *waiters) add(version string) chan error {
	added := waiter{version, make(chan error, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end != nil {
		added.done <- w.end
		return added.done
	}
	at, _ := slices.BinarySearchFunc(w.list, version, func(w waiter, version string) int {
		if older(version, w.version) {
			return -1
		}
		return 1
	})
	w.list = slices.Insert(w.list, at, added)
	return added.done
}

func (w *waiters) remove(done chan error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = slices.DeleteFunc(w.list, func(w waiter) bool { return w.done == done })
}

// until waits until the condition holds, which is looked at after each change.
func (w *waiters) until(ctx context.Context, holds func() bool) error {
	w.count.Add(1)
	defer w.count.Add(-1)
	changed := make(chan error, 1)
	for {
		w.watch(changed)
		if holds() { // after watch: what comes later is told
			w.unwatch(changed)
			return nil
		}
		select {
		case err := <-changed:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			w.unwatch(changed)
			return ctx.Err()
		}
	}
}

func (w *waiters) watch(changed chan error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end != nil {
		changed <- w.end
		return
	}
	w.watching = append(w.watching, changed)
}

func (w *waiters) unwatch(changed chan error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watching = slices.DeleteFunc(w.watching, func(other chan error) bool { return other == changed })
}

// advance tells those whose version is reached, and those who wait for any change. The version is empty if it is the same
// as before.
func (w *waiters) advance(version string) {
	if w.count.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tellWatching(nil)
	if version == "" {
		return
	}
	for last := len(w.list) - 1; last >= 0 && reached(version, w.list[last].version); last-- {
		w.list[last].done <- nil
		w.list = w.list[:last]
	}
}

// close ends all waits, also those to come.
func (w *waiters) close(err error) {
	w.mu.Lock()
	w.end = err
	w.mu.Unlock()
	w.fail(err)
}

// fail ends all waits.
func (w *waiters) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, waiter := range w.list {
		waiter.done <- err
	}
	w.list = nil
	w.tellWatching(err)
}

func (w *waiters) tellWatching(err error) {
	for _, changed := range w.watching {
		changed <- err
	}
	w.watching = nil
}

func reached(current, version string) bool {
	order, err := resourceversion.CompareResourceVersion(current, version)
	return err == nil && order >= 0
}
