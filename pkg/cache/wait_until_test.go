package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// waitFor calls WaitUntil in a goroutine.
func waitFor(ctx context.Context, i *Indexer[cm], version string) <-chan error {
	done := make(chan error, 1)
	go func() { done <- i.WaitUntil(ctx, version) }()
	return done
}

func TestWaitUntil(t *testing.T) {
	play(t, Config{}, nil, func(s scene) {
		indexer := s.informer.Indexer()
		over, cancel := context.WithCancel(s.Context())
		cancel()
		for _, version := range []string{"4", "5"} {
			if err := indexer.WaitUntil(over, version); err != nil {
				s.Errorf("the cache is at 5, but waiting for %s gave %v", version, err)
			}
		}
		if err := indexer.WaitUntil(over, "6"); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), `"6"`) {
			s.Errorf("without a context it returned %v", err)
		}
		for _, malformed := range []string{"", "0x1", "-1", "a", "01"} {
			if err := indexer.WaitUntil(s.Context(), malformed); err == nil {
				s.Errorf("waiting for version %q gave no error", malformed)
			}
		}
		six, eight := waitFor(s.Context(), indexer, "6"), waitFor(s.Context(), indexer, "8")
		soon, cancelSoon := context.WithTimeout(s.Context(), time.Second)
		defer cancelSoon()
		late := waitFor(soon, indexer, "100")
		synctest.Wait()
		s.update("a", "7")
		if err := <-six; err != nil {
			s.Error(err)
		}
		if len(eight) > 0 {
			s.Error("version 8 was reached at 7")
		}
		s.server.stream.Action("BOOKMARK", configMap("", "", "8"))
		if err := <-eight; err != nil {
			s.Error(err)
		}
		if err := <-late; !errors.Is(err, context.DeadlineExceeded) {
			s.Errorf("after its time it returned %v", err)
		}
		if got := len(indexer.waiters.list); got != 0 || indexer.waiters.count.Load() != 0 {
			s.Errorf("%d waiters are left", got)
		}
	})
}

func TestWaitUntilEnds(t *testing.T) {
	var indexer *Indexer[cm]
	var stopped <-chan error
	play(t, Config{}, nil, func(s scene) {
		indexer = s.informer.Indexer()
		before := waitFor(s.Context(), indexer, "100")
		synctest.Wait()
		s.server.relist("3", configMap("a", "u", "2"))
		if err := <-before; !errors.Is(err, ErrNewEpoch) {
			s.Errorf("in a new epoch it returned %v", err)
		}
		if got := s.informer.Status().Epochs; got != 1 {
			s.Errorf("%d epochs are counted, want 1", got)
		}
		stopped = waitFor(context.Background(), indexer, "100")
		synctest.Wait()
		go func() {
			if err := <-stopped; !errors.Is(err, ErrStopped) || !strings.Contains(err.Error(), "*v1.ConfigMap") {
				s.Errorf("of a stopped informer it returned %v", err)
			}
		}()
	})
	if err := indexer.WaitUntil(t.Context(), "100"); !errors.Is(err, ErrStopped) {
		t.Errorf("after the stop it returned %v", err)
	}
	if err := indexer.WaitUntil(t.Context(), "3"); err != nil {
		t.Errorf("what was reached before the stop gave %v", err)
	}
}

func TestThousandsWait(t *testing.T) {
	indexer := NewIndexer[cm]()
	indexer.Apply(Batch[cm]{Replaced: true, ResourceVersion: "1"})
	const last = 2000
	var waiting sync.WaitGroup
	for n := range 2 * last {
		version := fmt.Sprint(1 + (n*7919)%last)
		waiting.Go(func() {
			if err := indexer.WaitUntil(t.Context(), version); err != nil || older(indexer.ResourceVersion(), version) {
				t.Errorf("waited for %s, the cache is at %s: %v", version, indexer.ResourceVersion(), err)
			}
		})
	}
	for version := 1; version <= last; version += 3 {
		indexer.Apply(Batch[cm]{ResourceVersion: fmt.Sprint(version)})
	}
	indexer.Apply(Batch[cm]{ResourceVersion: fmt.Sprint(last)})
	waiting.Wait()
	if len(indexer.waiters.list) != 0 {
		t.Errorf("%d waiters are left", len(indexer.waiters.list))
	}
}
