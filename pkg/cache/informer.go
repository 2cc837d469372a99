package cache

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"k8s.io/klog/v2"
)

// An Informer keeps an [Indexer] up to date with an API server and tells subscribers what changes; see the package
// documentation for the way an event takes. Its methods may be called concurrently. Create one with [NewInformer].
type Informer[T Object] struct {
	config    Config
	indexer   *Indexer[T]
	fifo      *DeltaFIFO[T]
	reflector *Reflector[T]

	synced      chan struct{} // closed when the first list is in the indexer
	stopped     chan struct{} // closed when Run has returned
	indexErrors atomic.Int64
	logger      atomic.Pointer[klog.Logger] // set when the informer starts

	mu            sync.Mutex // also held from a change of the indexer until all subscriptions have it
	state         state
	ctx           context.Context // of Run, while running
	subscriptions map[*Subscription[T]]struct{}
	running       sync.WaitGroup // one for each subscription
}

type state int

const (
	created state = iota
	running
	ended
)

// NewInformer returns an Informer that reads from source. It does nothing until [Informer.Run].
func NewInformer[T Object](source ListerWatcher[T], config Config) *Informer[T] {
	i := &Informer[T]{
		config:        config.withDefaults(typeName[T]()),
		synced:        make(chan struct{}),
		stopped:       make(chan struct{}),
		subscriptions: make(map[*Subscription[T]]struct{}),
	}
	i.indexer = NewIndexer[T](i.indexFailed)
	i.fifo = NewDeltaFIFO[T](i.indexer)
	i.reflector = NewReflector[T](source, i.fifo, i.config)
	return i
}

// Name returns the informer's name.
func (i *Informer[T]) Name() string { return i.config.Name }

// Indexer returns the objects. It is empty until the informer has synced.
func (i *Informer[T]) Indexer() *Indexer[T] { return i.indexer }

// Status returns what the informer has asked the server for, and got.
func (i *Informer[T]) Status() Status { return i.reflector.Status() }

// IndexErrors returns how often an index function has panicked.
func (i *Informer[T]) IndexErrors() int { return int(i.indexErrors.Load()) }

// Subscribe calls handler for every object there is, as an Added event with Initial set, and then for each change. Before
// and while the informer runs subscriptions may come and go at any time; the name appears in logs and errors. After the
// informer has stopped, the subscription has ended from the start.
func (i *Informer[T]) Subscribe(name string, handler Handler[T]) *Subscription[T] {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := newSubscription(i, name, handler)
	switch i.state {
	case ended:
		close(s.ended)
	case running:
		i.startLocked(s)
		fallthrough
	case created:
		i.subscriptions[s] = struct{}{}
	}
	if i.HasSynced() {
		s.push(i.initialEvents(), true)
	}
	return s
}

// HasSynced says whether the indexer holds what the first list found, or newer.
func (i *Informer[T]) HasSynced() bool { return isClosed(i.synced) }

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
// handlers included. A second call returns [ErrStarted].
func (i *Informer[T]) Run(ctx context.Context) error {
	ctx = klog.NewContext(ctx, i.config.logger(ctx))
	if err := i.start(ctx); err != nil {
		return err
	}
	var reading sync.WaitGroup
	reading.Go(func() { i.reflector.Run(ctx) })
	i.process(ctx)
	reading.Wait()
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
	for s := range i.subscriptions {
		i.startLocked(s)
	}
	return nil
}

func (i *Informer[T]) startLocked(s *Subscription[T]) {
	ctx := i.ctx
	i.running.Go(func() { s.run(ctx) })
}

func (i *Informer[T]) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.state = ended
}

// process applies batches until the context is done.
func (i *Informer[T]) process(ctx context.Context) {
	for {
		batch, err := i.fifo.Pop(ctx)
		if err != nil {
			return
		}
		i.apply(batch)
	}
}

// apply changes the indexer and tells the subscriptions, so that none can come between.
func (i *Informer[T]) apply(batch Batch[T]) {
	i.mu.Lock()
	defer i.mu.Unlock()
	events := i.indexer.Apply(batch)
	initial := batch.Replaced && !i.HasSynced()
	if initial {
		markInitial(events)
	}
	if len(events) > 0 || initial {
		for s := range i.subscriptions {
			s.push(events, initial)
		}
	}
	if initial {
		close(i.synced)
	}
}

func markInitial[T Object](events []Event[T]) {
	for n := range events {
		events[n].Initial = events[n].Type == Added
	}
}

func (i *Informer[T]) initialEvents() []Event[T] {
	events := make([]Event[T], 0, i.indexer.Len())
	for obj := range i.indexer.All() {
		events = append(events, Event[T]{Type: Added, Key: KeyOf(obj), Object: obj, Initial: true})
	}
	return events
}

// unsubscribe makes the subscription end, unless it has ended.
func (i *Informer[T]) unsubscribe(s *Subscription[T]) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, ok := i.subscriptions[s]; !ok {
		return
	}
	delete(i.subscriptions, s)
	close(s.closing)
	if i.state == created {
		close(s.ended)
	}
}

func (i *Informer[T]) indexFailed(err *IndexError) {
	i.indexErrors.Add(1)
	if logger := i.logger.Load(); logger != nil { // before the start there are no objects
		logger.Error(err, "Object not indexed", "index", err.Index, "key", err.Key)
	}
}
