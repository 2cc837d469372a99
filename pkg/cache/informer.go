package cache

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"
)

// An Informer keeps an [Indexer] up to date with an API server and tells subscribers what changes; see the package
// documentation for the way an event takes. Its methods may be called concurrently. Create one with [NewInformer].
type Informer[T Object] struct {
	config     Config
	indexer    *Indexer[T]
	quarantine *quarantine
	fifo       *DeltaFIFO[T]
	reflector  *Reflector[T]
	fanOut     *fanOut[T]
	wakeResync token // a subscription with a resync has come

	synced  chan struct{} // closed when the first list is in the indexer
	stopped chan struct{} // closed when Run has returned
	epochs  atomic.Int64
	logger  atomic.Pointer[klog.Logger] // set when the informer starts

	writing sync.Mutex // held while the indexer changes and the fan-out is told

	mu            sync.Mutex
	state         state
	ctx           context.Context  // of Run, while running
	subscriptions []*subscriber[T] // in the order in which they came
	running       sync.WaitGroup   // one for each handler
}

type state int

const (
	created state = iota
	running
	ended
)

// NewInformer returns an Informer that reads from source; each object goes through the transforms, in order, before it is
// cached. It does nothing until [Informer.Run].
func NewInformer[T Object](source ListerWatcher[T], config Config, transforms ...Transform[T]) *Informer[T] {
	i := &Informer[T]{
		config:     config.withDefaults(typeName[T]()),
		wakeResync: newToken(),
		synced:     make(chan struct{}),
		stopped:    make(chan struct{}),
	}
	i.quarantine = newQuarantine(i.quarantined)
	i.indexer = newIndexer[T](i.quarantine)
	i.indexer.unchanged = config.NotifyUnchanged
	i.fifo = NewDeltaFIFO(i.indexer)
	i.fifo.lenient = config.NotifyUnchanged
	i.fanOut = newFanOut(i.indexer.Snapshot())
	i.reflector = NewReflector(source, &ingest[T]{i.fifo, transforms, i.quarantine}, i.config)
	return i
}

// Name returns the informer's name.
func (i *Informer[T]) Name() string { return i.config.Name }

// Indexer returns the objects. It is empty until the informer has synced. Its content is the informer's: to change it is for
// tests, by [Informer.Write], of which those who subscribe later hear.
func (i *Informer[T]) Indexer() *Indexer[T] { return i.indexer }

// Write changes the indexer by hand. Subscribers are not told; those that join later, or are told everything again by a resync,
// find what was written. What the server reports is compared with it.
func (i *Informer[T]) Write(batch Batch[T]) {
	i.writing.Lock()
	defer i.writing.Unlock()
	i.indexer.Apply(batch)
	i.fanOut.update(i.indexer.Snapshot())
}

// Status returns what the informer has asked the server for, and got.
func (i *Informer[T]) Status() Status {
	status := i.reflector.Status()
	status.Quarantined, status.Failures = i.quarantine.count()
	status.Refused, status.Epochs = i.indexer.Refused(), int(i.epochs.Load())
	return status
}

// HasSynced says whether the indexer holds what the first list found, or newer.
func (i *Informer[T]) HasSynced() bool { return isClosed(i.synced) }

// Synced returns a channel that is closed when HasSynced becomes true.
func (i *Informer[T]) Synced() <-chan struct{} { return i.synced }

// WaitForSync waits until the indexer holds what the first list found. Otherwise it returns the context's error with
// the reason, as far as it is known, or [ErrStopped].
func (i *Informer[T]) WaitForSync(ctx context.Context) error {
	select {
	case <-i.synced:
	case <-i.stopped:
	case <-ctx.Done():
	}
	switch {
	case i.HasSynced():
		return nil
	case isClosed(i.stopped):
		return fmt.Errorf("cache: informer %q: %w", i.config.Name, ErrStopped)
	default:
		return fmt.Errorf("cache: informer %q has not synced: %w", i.config.Name, i.reason(ctx.Err()))
	}
}

// reason adds to err what keeps the informer from being synced, as far as that is known.
func (i *Informer[T]) reason(err error) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.state == created {
		return fmt.Errorf("%w: %w", err, errNotRunning)
	}
	if last := i.Status().LastError; last != nil && !i.HasSynced() {
		return fmt.Errorf("%w: %w", err, last)
	}
	return err
}

// Run keeps the indexer up to date until the context is done, and returns nil when all its goroutines have ended, those of
// handlers included; it waits for the request that it is at, so a source has to heed its context. A second call returns
// [ErrStarted].
func (i *Informer[T]) Run(ctx context.Context) error {
	ctx = klog.NewContext(ctx, i.config.logger(ctx))
	if err := i.start(ctx); err != nil {
		return err
	}
	var running sync.WaitGroup
	running.Go(func() { i.reflector.Run(ctx) })
	running.Go(func() { i.resync(ctx) })
	i.process(ctx)
	running.Wait()
	i.end()
	i.running.Wait()
	close(i.stopped)
	return nil
}

func (i *Informer[T]) start(ctx context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.state != created {
		return fmt.Errorf("cache: informer %q: %w", i.config.Name, ErrStarted)
	}
	i.state, i.ctx = running, ctx
	i.logger.Store(new(klog.FromContext(ctx)))
	i.fanOut.begin(i.config.Clock.Now())
	for _, s := range i.subscriptions {
		i.startLocked(s)
	}
	return nil
}

func (i *Informer[T]) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.state = ended
	for len(i.subscriptions) > 0 {
		i.unsubscribeLocked(i.subscriptions[0])
	}
	i.indexer.waiters.close(fmt.Errorf("cache: informer %q: %w", i.config.Name, ErrStopped))
}

// process applies batches until the context is done.
func (i *Informer[T]) process(ctx context.Context) {
	for {
		batch, err := i.fifo.Pop(ctx)
		if err != nil {
			return
		}
		i.applyMeasured(batch)
		if i.fifo.Len() == 0 { // there is time
			i.settle()
		}
	}
}

// settle lets go of the objects that were replaced.
func (i *Informer[T]) settle() {
	i.writing.Lock()
	defer i.writing.Unlock()
	if i.indexer.store.Settle() {
		i.fanOut.update(i.indexer.Snapshot())
	}
}

// applyMeasured tells Config.OnBatch of what it does.
func (i *Informer[T]) applyMeasured(batch Batch[T]) {
	if i.config.OnBatch == nil {
		i.apply(batch)
		return
	}
	began := i.config.Clock.Now()
	events := i.apply(batch)
	i.config.OnBatch(BatchStats{
		Events:          events,
		Waiting:         i.fifo.Len(),
		Took:            i.config.Clock.Since(began),
		ResourceVersion: i.indexer.ResourceVersion(),
	})
}

// apply changes the indexer, tells the subscribers, and returns the number of events.
func (i *Informer[T]) apply(batch Batch[T]) int {
	i.writing.Lock()
	defer i.writing.Unlock()
	events := i.indexer.Apply(batch)
	initial := batch.Replaced && !i.HasSynced()
	if initial {
		markInitial(events)
	}
	if batch.NewEpoch {
		i.epochs.Add(1)
		i.logger.Load().Info("The server's resource versions have gone back", "resourceVersion", batch.ResourceVersion)
	}
	i.fanOut.tell(events, i.indexer.Snapshot(), initial)
	if initial {
		close(i.synced)
	}
	if batch.Resync {
		i.fanOut.finishResync()
	}
	return len(events)
}

func markInitial[T Object](events []Event[T]) {
	for n := range events {
		events[n].Initial = events[n].Type == Added
	}
}

// resync puts a resync into the FIFO whenever one is due.
func (i *Informer[T]) resync(ctx context.Context) {
	for ctx.Err() == nil {
		if i.waitForResync(ctx) && i.fanOut.beginResync(i.config.Clock.Now()) {
			i.fifo.Resync()
		}
	}
}

// waitForResync returns true when one may be due.
func (i *Informer[T]) waitForResync(ctx context.Context) bool {
	var due <-chan time.Time
	if at, ok := i.fanOut.nextResync(); ok {
		timer := i.config.Clock.NewTimer(max(0, at.Sub(i.config.Clock.Now())))
		defer timer.Stop()
		due = timer.C()
	}
	select {
	case <-due:
		return true
	case <-i.wakeResync:
	case <-ctx.Done():
	}
	return false
}

func (i *Informer[T]) quarantined(q Quarantined) {
	if logger := i.logger.Load(); logger != nil {
		logger.Error(q.Err, "Object quarantined", "key", q.Key, "resourceVersion", q.ResourceVersion)
	}
}
