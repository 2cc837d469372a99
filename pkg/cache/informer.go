package cache

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
)

// An Informer keeps an [Indexer] up to date with an API server and tells subscribers what changes; see the package
// documentation for the way an event takes. Its methods may be called concurrently. Create one with [NewInformer].
type Informer[T Object] struct {
	config     Config
	transforms []Transform[T]
	indexer    *Indexer[T]
	quarantine *quarantine
	fanOut     *fanOut[T]
	wakeResync token // a subscription with a resync has come

	synced  chan struct{}               // closed when the first list is in the indexer
	stopped chan struct{}               // closed when Run has returned
	logger  atomic.Pointer[klog.Logger] // set when the informer starts

	writing sync.Mutex  // held while the indexer changes and the fan-out is told
	begun   bool        // with writing held
	epoch   int         // with writing held
	scopes  []*scope[T] // what is read, each on a stream of its own; with writing held, changed with mu held, too

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
	i := newInformer(config, transforms)
	i.scopes = []*scope[T]{newScope(i, metav1.NamespaceAll, source)}
	return i
}

// newInformer returns an Informer that reads nothing.
func newInformer[T Object](config Config, transforms []Transform[T]) *Informer[T] {
	i := &Informer[T]{
		config:     config.withDefaults(typeName[T]()),
		transforms: transforms,
		wakeResync: newToken(),
		synced:     make(chan struct{}),
		stopped:    make(chan struct{}),
	}
	i.quarantine = newQuarantine(i.quarantined)
	i.indexer = newIndexer[T](i.quarantine)
	i.indexer.unchanged = config.NotifyUnchanged
	i.fanOut = newFanOut(i.indexer.Snapshot())
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

// Run keeps the indexer up to date until the context is done, and returns nil when all its goroutines have ended, those of
// handlers included; it waits for the request that it is at, so a source has to heed its context. A second call returns
// [ErrStarted].
func (i *Informer[T]) Run(ctx context.Context) error {
	ctx = klog.NewContext(ctx, i.config.logger(ctx))
	if err := i.start(ctx); err != nil {
		return err
	}
	i.resync(ctx)
	i.stopReading()
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
	for _, s := range i.scopes {
		s.start(ctx)
	}
	i.begin()
	return nil
}

// begin has the informer synced if there is nothing to read.
func (i *Informer[T]) begin() {
	i.writing.Lock()
	defer i.writing.Unlock()
	i.begun = true
	i.apply(Batch[T]{})
}

// stopReading waits until nothing is read any more, for good.
func (i *Informer[T]) stopReading() {
	i.mu.Lock()
	i.state = ended
	i.mu.Unlock()
	for _, s := range i.scopesNow() {
		s.stop()
	}
}

func (i *Informer[T]) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	for len(i.subscriptions) > 0 {
		i.unsubscribeLocked(i.subscriptions[0])
	}
	i.indexer.waiters.close(fmt.Errorf("cache: informer %q: %w", i.config.Name, ErrStopped))
}

// settle lets go of the objects that were replaced.
func (i *Informer[T]) settle() {
	i.writing.Lock()
	defer i.writing.Unlock()
	if i.indexer.store.Settle() {
		i.fanOut.update(i.indexer.Snapshot())
	}
}

// apply changes the indexer, tells the subscribers, and returns the number of events. It is called with writing held.
func (i *Informer[T]) apply(batch Batch[T]) int {
	events := i.indexer.Apply(batch)
	if batch.Replaced && !i.HasSynced() {
		markInitial(events)
	}
	if batch.NewEpoch && !batch.epochKnown {
		i.logger.Load().Info("The server's resource versions have gone back")
	}
	initial := !i.HasSynced() && i.allListed()
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

// resync has everything told again whenever that is due, until the context is done.
func (i *Informer[T]) resync(ctx context.Context) {
	for ctx.Err() == nil {
		if i.waitForResync(ctx) && i.fanOut.beginResync(i.config.Clock.Now()) {
			i.resyncNow()
		}
	}
}

// resyncNow takes the way of all changes, so that a resync does not overtake any.
func (i *Informer[T]) resyncNow() {
	i.writing.Lock()
	defer i.writing.Unlock()
	if len(i.scopes) == 0 {
		i.fanOut.finishResync()
		return
	}
	i.scopes[0].fifo.Resync()
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
