package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// A scope is a part of what an [Informer] holds: all namespaces, or one. It has a stream of its own from the server.
type scope[T Object] struct {
	informer  *Informer[T]
	namespace string // empty for all
	fifo      *DeltaFIFO[T]
	reflector *Reflector[T]

	version string // of the stream, as far as it is applied; with Informer.writing held
	epoch   int    // of the version
	listed  chan struct{}
	waiters waiters // for the version

	removed bool // with Informer.mu held
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func newScope[T Object](i *Informer[T], namespace string, source ListerWatcher[T]) *scope[T] {
	s := &scope[T]{informer: i, namespace: namespace, fifo: NewDeltaFIFO(i.indexer), listed: make(chan struct{})}
	s.fifo.lenient = i.config.NotifyUnchanged
	s.reflector = NewReflector(source, &ingest[T]{s.fifo, i.transforms, i.quarantine, namespace}, i.config)
	return s
}

// start is called with Informer.mu held.
func (s *scope[T]) start(ctx context.Context) {
	if s.removed {
		return
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.running.Go(func() { s.reflector.Run(ctx) })
	s.running.Go(func() { s.process(ctx) })
	if s.informer.config.AuditInterval > 0 {
		s.running.Go(func() { newAudit(s).run(ctx) })
	}
}

// stop waits until nothing of the scope runs any more. What it has read stays.
func (s *scope[T]) stop() {
	if s.cancel != nil {
		s.cancel()
	}
	s.running.Wait()
}

// process applies batches until the context is done.
func (s *scope[T]) process(ctx context.Context) {
	for {
		batch, err := s.fifo.Pop(ctx)
		if err != nil {
			return
		}
		s.applyMeasured(batch)
		if s.fifo.Len() == 0 { // there is time
			s.informer.settle()
		}
	}
}

// applyMeasured tells Config.OnBatch of what it does.
func (s *scope[T]) applyMeasured(batch Batch[T]) {
	i := s.informer
	if i.config.OnBatch == nil {
		s.apply(batch)
		return
	}
	began := i.config.Clock.Now()
	events := s.apply(batch)
	i.config.OnBatch(BatchStats{
		Events:          events,
		Waiting:         s.fifo.Len(),
		Took:            i.config.Clock.Since(began),
		ResourceVersion: i.indexer.ResourceVersion(),
	})
}

func (s *scope[T]) apply(batch Batch[T]) int {
	i := s.informer
	i.writing.Lock()
	defer i.writing.Unlock()
	batch.Namespace = s.namespace
	s.enterEpoch(&batch)
	if batch.ResourceVersion != "" {
		s.version = batch.ResourceVersion
		batch.ResourceVersion = i.oldestVersion()
	}
	if batch.Replaced && !s.isListed() {
		close(s.listed)
	}
	events := i.apply(batch)
	s.waiters.advance(s.version)
	return events
}

// enterEpoch notes of which epoch the versions are from now on. The scope that finds a new one tells the others: what they
// have means nothing until they have listed, too. A list that was under way when they were told does not count.
func (s *scope[T]) enterEpoch(batch *Batch[T]) {
	i := s.informer
	if !batch.Replaced {
		return
	}
	if !s.isListed() && i.HasSynced() { // it came later, and can't compare the first list with anything
		batch.NewEpoch = batch.NewEpoch || older(batch.ResourceVersion, i.indexer.ResourceVersion())
	}
	switch {
	case s.epoch < i.epoch && s.isListed() && !batch.NewEpoch:
		return
	case s.epoch < i.epoch:
		batch.epochKnown = true
		s.reflector.forgo()
	case batch.NewEpoch && !batch.epochKnown:
		i.epoch++
		s.tellOthers()
	}
	if batch.NewEpoch {
		s.waiters.fail(ErrNewEpoch)
	}
	s.epoch = i.epoch
}

func (s *scope[T]) tellOthers() {
	for _, other := range s.informer.scopes {
		if other != s && other.isListed() {
			other.reflector.interrupt(errBehindElsewhere)
		}
	}
}

func (s *scope[T]) isListed() bool { return isClosed(s.listed) }

// oldestVersion returns the version that all scopes have reached, empty if one has none yet in this epoch.
func (i *Informer[T]) oldestVersion() string {
	oldest := ""
	for n, s := range i.scopes {
		if s.version == "" || s.epoch != i.epoch {
			return ""
		}
		if n == 0 || older(s.version, oldest) {
			oldest = s.version
		}
	}
	return oldest
}

// allListed says whether everything that is to be read has been.
func (i *Informer[T]) allListed() bool {
	if !i.begun {
		return false
	}
	for _, s := range i.scopes {
		if !s.isListed() {
			return false
		}
	}
	return true
}

func (i *Informer[T]) scopesNow() []*scope[T] {
	i.writing.Lock()
	defer i.writing.Unlock()
	return i.scopes // never changed in place
}

// trouble returns why the last request failed and since when, nil if it did not.
func (s *scope[T]) trouble(now time.Time) error {
	status := s.reflector.Status()
	if status.LastError == nil {
		return nil
	}
	err := fmt.Errorf("failing for %v: %w", now.Sub(status.FailingSince).Round(time.Second), status.LastError)
	if s.namespace != "" {
		err = fmt.Errorf("namespace %q: %w", s.namespace, err)
	}
	return err
}

var errNotListed = errors.New("the first list has not come")

// unready returns why the scope is not to be relied on, nil if it is.
func (s *scope[T]) unready(now time.Time) error {
	trouble := s.trouble(now)
	switch stale := now.Sub(s.reflector.Status().Fresh); {
	case !s.isListed():
		return because(errNotListed, trouble)
	case isDenied(trouble):
		return trouble
	case stale > s.informer.config.MaxStaleness:
		return because(fmt.Errorf("the server has not been heard of for %v", stale.Round(time.Second)), trouble)
	default:
		return nil
	}
}

func because(err, cause error) error {
	if cause == nil {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// isDenied says whether the server does not let the informer read, so that waiting alone will not help.
func isDenied(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err)
}
