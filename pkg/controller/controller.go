package controller

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// A Controller calls a reconcile function for each key that its sources add. Its methods may be called concurrently.
type Controller[K comparable] struct {
	config   Config[K]
	queue    *queue.Queue[K]
	sources  sources[K]
	gate     *gate
	settling *settling
	pool     pool
	seats    seats[K]
	ids      ids
	counts   counts
	phase    atomic.Int32
	realTime bool                        // the queue has the real clock
	logger   atomic.Pointer[klog.Logger] // that of Run, as soon as there is one
	verbose  klog.Logger                 // of what is only to be seen at level 4
}

// The phases of a controller.
const (
	unstarted int32 = iota
	syncing
	reconciling
	stopping
	stopped
)

// New returns a controller, or an error that names the field of the config that is wrong. It does nothing until
// [Controller.Run].
func New[K comparable](config Config[K]) (*Controller[K], error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	c := &Controller[K]{
		config: config,
		queue:  queue.New(config.Queue),
		gate:   newGate(config.Breaker, config.Clock),
		ids:    ids{prefix: newPrefix()},
	}
	c.settling = newSettling(config.SettleTimeout, &c.counts)
	_, c.realTime = config.Queue.Clock.(clock.RealClock)
	c.setLogger(context.Background())
	return c, nil
}

// Name returns the controller's name.
func (c *Controller[K]) Name() string { return c.config.Name }

// Enqueue adds a key by hand. The key runs as soon as a worker is free, whatever it waits for.
func (c *Controller[K]) Enqueue(key K) { c.queue.Add(key) }

// EnqueueAll is an [Controller.Enqueue] of each key, such as of all that an indexer has when something has changed that concerns
// every object. It is faster for many.
func (c *Controller[K]) EnqueueAll(keys iter.Seq[K]) { c.queue.AddAll(keys) }

// Queue returns the controller's queue: to look into it, and to list, replay and drop the keys that are parked. Nobody else
// may take keys from it or shut it down.
func (c *Controller[K]) Queue() *queue.Queue[K] { return c.queue }

// Run subscribes to the sources, waits until they have synced, and reconciles until the context is done. The informers
// must be run by somebody else, for instance by [Run] or package manager. It returns nil when it was stopped, and an error
// when a source ended before it had synced. A second call returns [ErrStarted].
func (c *Controller[K]) Run(ctx context.Context) error {
	if !c.phase.CompareAndSwap(unstarted, syncing) {
		return fmt.Errorf("controller %q: %w", c.config.Name, ErrStarted)
	}
	logger := c.setLogger(ctx)
	ctx, c.verbose = klog.NewContext(ctx, logger), logger.V(4)
	defer c.phase.Store(stopped)
	defer c.settling.stop()
	defer c.queue.ShutDown()
	defer c.sources.closeAll()
	for _, source := range c.config.Sources {
		c.sources.add(source, c.target())
	}
	if err := c.sources.waitForSync(ctx); err != nil {
		return fmt.Errorf("controller %q: %w", c.config.Name, err)
	}
	if ctx.Err() == nil {
		c.phase.Store(reconciling)
		c.work(ctx)
	}
	return nil
}

// setLogger makes the logger of the config that of the controller, or else that of the context.
func (c *Controller[K]) setLogger(ctx context.Context) klog.Logger {
	logger := c.config.Logger
	if logger.GetSink() == nil {
		logger = klog.FromContext(ctx)
	}
	logger = logger.WithValues("controller", c.config.Name)
	c.logger.Store(&logger)
	return logger
}

// work runs the workers until the context is done, and then waits for them.
func (c *Controller[K]) work(ctx context.Context) {
	reconciling, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	c.pool.work = func(handOut context.Context) { c.worker(c.newSeat(handOut, reconciling)) }
	c.pool.resize(ctx, c.config.Workers)
	c.watchOver(ctx)
	c.phase.Store(stopping)
	done := finished(&c.pool.group)
	if c.grace(done) {
		return
	}
	klog.FromContext(ctx).Info("Grace period is over, cancelling running reconciles",
		"gracePeriod", c.config.GracePeriod, "reconciles", c.seats.busy())
	cancel(ErrGracePeriod)
	<-done
}

// watchOver does what is done beside the reconciles, until the context is done.
func (c *Controller[K]) watchOver(ctx context.Context) {
	var group sync.WaitGroup
	if c.config.MaxWorkers > c.config.Workers {
		group.Go(func() { c.scale(ctx) })
	}
	if c.config.ReplayParked > 0 {
		group.Go(func() { c.replayParked(ctx) })
	}
	if c.config.Timeout > 0 {
		group.Go(func() { c.warnOfStuck(ctx) })
	}
	<-ctx.Done()
	group.Wait()
}

// replayParked tries those keys again that have been parked for long.
func (c *Controller[K]) replayParked(ctx context.Context) {
	ticker := c.config.Clock.NewTicker(max(1, c.config.ReplayParked/10))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
		for _, parked := range c.queue.Parked() {
			if parked.At.Sub(parked.Since) >= c.config.ReplayParked {
				c.queue.Replay(parked.Key)
			}
		}
	}
}

// grace waits for the grace period at most. It says whether everything was done by then.
func (c *Controller[K]) grace(done <-chan struct{}) bool {
	if c.config.GracePeriod <= 0 {
		return false
	}
	timer := c.config.Clock.NewTimer(c.config.GracePeriod)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C():
		return false
	}
}

// finished returns a channel that is closed when the group is done.
func finished(group *sync.WaitGroup) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		group.Wait()
	}()
	return done
}

// drains says that the controller finishes its work when it is stopped, and may do so while others do.
func (c *Controller[K]) drains() {}
