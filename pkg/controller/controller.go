package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// Config configures a [Controller]. Name and Reconcile are required.
type Config[K comparable] struct {
	// Name names the controller in logs and errors.
	Name string

	// Reconcile makes the world as it should be for one key. Up to Workers calls run at the same time, of different keys.
	// The context carries a logger with the controller's name and the key; it ends when the grace period is over.
	Reconcile func(ctx context.Context, key K) Result

	// Sources say which keys are to be reconciled when.
	Sources []Source[K]

	// Workers is how many keys are reconciled at the same time. Defaults to 1.
	Workers int

	// RateLimiter says how long a key waits that is retried. Defaults to [queue.DefaultRateLimiter].
	RateLimiter queue.RateLimiter[K]

	// GracePeriod is how long running reconciles may go on when the controller is stopped. Then their context ends;
	// Run still waits for them. Defaults to 20 s, which leaves the rest of the 30 s that a Pod gets to what is stopped
	// after it; negative means no grace.
	GracePeriod time.Duration

	// Observe is called after each reconcile, by the worker, before the key is handed out again. A panic is logged. Nil
	// observes nothing.
	Observe func(Observation[K])

	// Logger defaults to the logger in the context of Run.
	Logger klog.Logger

	// Clock times delays, retries and the grace period. Defaults to the real clock.
	Clock clock.WithTicker
}

// An Observation tells of one reconcile.
type Observation[K comparable] struct {
	Key      K
	Result   Result
	Queued   time.Duration // from when the key was ready until a worker took it
	Took     time.Duration
	Failures int // in a row, this one included
}

func (c Config[K]) withDefaults() Config[K] {
	if c.Workers == 0 {
		c.Workers = 1
	}
	if c.GracePeriod == 0 {
		c.GracePeriod = 20 * time.Second
	}
	if c.Observe == nil {
		c.Observe = func(Observation[K]) {}
	}
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	return c
}

func (c Config[K]) validate() error {
	switch {
	case c.Name == "":
		return errors.New("controller: Name is empty; it names the controller in logs and errors")
	case c.Reconcile == nil:
		return fmt.Errorf("controller %q: Reconcile is nil", c.Name)
	case c.Workers < 0:
		return fmt.Errorf("controller %q: Workers is %d; it must be 1 or more, or 0 for the default", c.Name, c.Workers)
	}
	for n, source := range c.Sources {
		if source == nil {
			return fmt.Errorf("controller %q: Sources[%d] is nil", c.Name, n)
		}
	}
	return nil
}

// A Controller calls a reconcile function for each key that its sources add. Its methods may be called concurrently.
type Controller[K comparable] struct {
	config  Config[K]
	queue   *queue.Queue[K]
	started atomic.Bool
	counts  counts
	workers sync.WaitGroup
}

// New returns a controller, or an error that names the field of the config that is wrong. It does nothing until
// [Controller.Run].
func New[K comparable](config Config[K]) (*Controller[K], error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	return &Controller[K]{
		config: config,
		queue: queue.New(queue.Config[K]{
			Name:        config.Name,
			RateLimiter: config.RateLimiter,
			Timed:       true,
			Clock:       config.Clock,
		}),
	}, nil
}

// Name returns the controller's name.
func (c *Controller[K]) Name() string { return c.config.Name }

// Enqueue adds a key by hand, as a source would.
func (c *Controller[K]) Enqueue(key K) { c.queue.Add(key) }

// Run subscribes to the sources, waits until they have synced, and reconciles until the context is done. The informers
// must be run by somebody else, for instance by [Run]. It returns nil when it was stopped, and an error when a source ended
// before it had synced. A second call returns [ErrStarted].
func (c *Controller[K]) Run(ctx context.Context) error {
	if c.started.Swap(true) {
		return fmt.Errorf("controller %q: %w", c.config.Name, ErrStarted)
	}
	ctx = klog.NewContext(ctx, c.logger(ctx))
	defer c.queue.ShutDown()

	subscriptions := c.subscribe()
	defer closeAll(subscriptions)
	if err := c.waitForSync(ctx, subscriptions); err != nil {
		return err
	}
	c.work(ctx)
	return nil
}

func (c *Controller[K]) logger(ctx context.Context) klog.Logger {
	logger := c.config.Logger
	if logger.GetSink() == nil {
		logger = klog.FromContext(ctx)
	}
	return logger.WithValues("controller", c.config.Name)
}

func (c *Controller[K]) subscribe() []Subscription {
	subscriptions := make([]Subscription, 0, len(c.config.Sources))
	for _, source := range c.config.Sources {
		subscriptions = append(subscriptions, source.Subscribe(c.config.Name, c.queue.Add))
	}
	return subscriptions
}

func closeAll(subscriptions []Subscription) {
	for _, subscription := range subscriptions {
		subscription.Close()
	}
}

// syncReport is how often a controller says what it is still waiting for.
const syncReport = 10 * time.Second

// waitForSync returns nil as well when the context is done: then nothing is left to do.
func (c *Controller[K]) waitForSync(ctx context.Context, subscriptions []Subscription) error {
	for _, subscription := range subscriptions {
		for synced := false; !synced && ctx.Err() == nil; {
			var err error
			if synced, err = tryToSync(ctx, subscription); err != nil {
				return fmt.Errorf("controller %q: %w", c.config.Name, err)
			}
		}
	}
	return nil
}

// tryToSync waits for a while. It returns false when there is more to wait for, which it logs, or nobody waits any more.
func tryToSync(ctx context.Context, subscription Subscription) (synced bool, err error) {
	attempt, cancel := context.WithTimeout(ctx, syncReport)
	defer cancel()
	err = subscription.WaitForSync(attempt)
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

// work runs the workers until the context is done, and then waits for them.
func (c *Controller[K]) work(ctx context.Context) {
	reconciling, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	for range c.config.Workers {
		c.workers.Go(func() { c.worker(ctx, reconciling) })
	}
	<-ctx.Done()
	done := finished(&c.workers)
	if c.grace(done) {
		return
	}
	klog.FromContext(ctx).Info("Grace period is over, cancelling running reconciles", "gracePeriod", c.config.GracePeriod)
	cancel(ErrGracePeriod)
	<-done
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
