package cache

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An ownWrite is a call that waits for one.
type ownWrite struct{ done chan error }

func waitingFor(ctx context.Context, wait func(context.Context, cm) error, obj cm) ownWrite {
	w := ownWrite{make(chan error, 1)}
	go func() { w.done <- wait(ctx, obj) }()
	synctest.Wait()
	return w
}

func (w ownWrite) want(s scene, over bool, is error) {
	s.Helper()
	synctest.Wait()
	select {
	case err := <-w.done:
		if !over || !errors.Is(err, is) {
			s.Errorf("the wait has returned %v", err)
		}
	default:
		if over {
			s.Error("the wait goes on")
		}
	}
}

func TestWaitForObject(t *testing.T) {
	play(t, Config{}, nil, func(s scene) {
		waits := s.informer.Indexer().WaitForObject
		waitingFor(s.Context(), waits, configMap("a", "u", "5")).want(s, true, nil)
		update := waitingFor(s.Context(), waits, configMap("a", "u", "7"))
		create := waitingFor(s.Context(), waits, configMap("new", "n", "8"))
		unseen := waitingFor(s.Context(), waits, configMap("elsewhere", "e", "9"))
		s.update("a", "6")
		update.want(s, false, nil)
		s.update("a", "7")
		update.want(s, true, nil)
		create.want(s, false, nil)
		s.add("new", "n", "8")
		create.want(s, true, nil)
		unseen.want(s, false, nil)
		s.update("b", "10")
		unseen.want(s, true, nil)
	})
}

// The API server answers a write that takes the last finalizer with the version that the object had.
func TestWaitForObjectThatHasLostItsLastFinalizer(t *testing.T) {
	play(t, Config{}, nil, func(s scene) {
		terminating := configMap("a", "u", "6")
		terminating.DeletionTimestamp = &metav1.Time{Time: time.Now()}
		terminating.Finalizers = []string{"example.com/cleanup"}
		s.server.stream.Modify(terminating)
		released := terminating.DeepCopy()
		released.Finalizers = nil
		held := released.DeepCopy()
		held.DeletionGracePeriodSeconds = new(int64(30))
		waits := s.informer.Indexer().WaitForObject
		gone := waitingFor(s.Context(), waits, released)
		waitingFor(s.Context(), waits, terminating).want(s, true, nil)
		waitingFor(s.Context(), waits, held).want(s, true, nil)
		gone.want(s, false, nil)
		s.delete("a", "7")
		gone.want(s, true, nil)
		waitingFor(s.Context(), waits, released).want(s, true, nil)
	})
}

// A write in a namespace is seen when that has come, whatever the others are waiting for.
func TestWaitForObjectInOneOfSeveralNamespaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		indexer := NewIndexer[cm]()
		done := make(chan error, 1)
		go func() { done <- indexer.WaitForObject(t.Context(), configMap("a", "u", "7")) }()
		synctest.Wait()
		indexer.Apply(Batch[cm]{Deltas: []Delta[cm]{{Type: DeltaAdded, Object: configMap("a", "u", "7")}}}) // no version of all
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestWaitForDeletion(t *testing.T) {
	play(t, Config{}, nil, func(s scene) {
		waits := s.informer.Indexer().WaitForDeletion
		waitingFor(s.Context(), waits, configMap("unheard", "u", "5")).want(s, true, nil)
		waitingFor(s.Context(), waits, configMap("a", "another", "5")).want(s, true, nil)
		gone := waitingFor(s.Context(), waits, configMap("a", "u", "5"))
		marked := waitingFor(s.Context(), waits, configMap("b", "u", "5"))
		s.update("a", "6")
		gone.want(s, false, nil)
		s.delete("a", "7")
		gone.want(s, true, nil)
		terminating := configMap("b", "u", "8")
		terminating.DeletionTimestamp = &metav1.Time{Time: time.Now()}
		marked.want(s, false, nil)
		s.server.stream.Modify(terminating)
		marked.want(s, true, nil)
	})
}

func TestWaitsForOwnWritesEnd(t *testing.T) {
	play(t, Config{}, nil, func(s scene) {
		indexer := s.informer.Indexer()
		ctx, cancel := context.WithCancel(s.Context())
		cancelled := waitingFor(ctx, indexer.WaitForObject, configMap("a", "u", "100"))
		epoch := waitingFor(s.Context(), indexer.WaitForObject, configMap("a", "u", "100"))
		cancel()
		cancelled.want(s, true, context.Canceled)
		s.server.relist("3", configMap("a", "u", "3"))
		epoch.want(s, true, ErrNewEpoch)
	})
}

func TestWaitsForOwnWritesEndWithTheInformer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newTestInformer(newLiveServer())
		stop := start(t, i)
		before := waitingFor(t.Context(), i.Indexer().WaitForObject, configMap("a", "u", "100"))
		stop()
		if err := <-before.done; !errors.Is(err, ErrStopped) {
			t.Errorf("waiting until then gave %v", err)
		}
		if err := i.Indexer().WaitForObject(t.Context(), configMap("a", "u", "100")); !errors.Is(err, ErrStopped) {
			t.Errorf("waiting afterwards gave %v", err)
		}
	})
}
