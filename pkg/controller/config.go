package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// Config configures a [Controller]. Name and Reconcile are required.
type Config[K comparable] struct {
	// Name names the controller in logs and errors.
	Name string

	// Reconcile makes the world as it should be for one key. Calls of different keys run at the same time, as many as there
	// are workers.
	//
	// The context belongs to this call: it carries a logger with the controller's name, the key and an id, is known to
	// [AttemptFrom] and [Wrote], and ends when the call returns, when it takes longer than Timeout, or when the grace period
	// is over; [context.Cause] says which.
	Reconcile func(ctx context.Context, key K) Result

	// Sources say which keys are to be reconciled when. See [Controller.AddSource] for those that come later.
	Sources []Source[K]

	// Workers is how many keys are reconciled at the same time. Defaults to 1.
	Workers int

	// MaxWorkers, if it is more than Workers, lets the number of workers follow the load between the two: more while a key
	// waits for a worker longer than TargetLatency, fewer while the API server refuses, see [Refused], or throttles requests
	// of clients of package client, or half of them are idle. [Status] has the reasons. Defaults to Workers.
	MaxWorkers int

	// TargetLatency defaults to 200 ms.
	TargetLatency time.Duration

	// Timeout is how long a reconcile may take until its context ends. One that goes on keeps its worker, is logged, and is
	// among the Stuck of [Status]. It is in real time, whatever the Clock. Defaults to 10 minutes; negative means no limit.
	Timeout time.Duration

	// SettleTimeout is how long the next reconcile of a key waits for the caches to have what the last one wrote, as told by
	// [Wrote], see Settling of [Status]; other keys are not held up. Defaults to 2 minutes, in which API servers send a
	// bookmark, so that what is written beyond what a cache selects is waited for, too; negative means that nothing is waited
	// for.
	SettleTimeout time.Duration

	// Classify says what the error of a [Retry] means. Defaults to [Classify].
	Classify func(err error) Class

	// ReplayParked is how long a key stays parked until it is tried again, lest it be forgotten. It is checked ten times in
	// that time. Defaults to 30 minutes; negative means never.
	ReplayParked time.Duration

	// Breaker slows the controller down while the API server refuses.
	Breaker Breaker

	// Queue configures the queue: the back-off, a retry limit, fairness between tenants, hot keys, triggers, metrics. Its Name
	// and Clock default to the controller's, Remember to 65 536 keys; Timed is always on.
	Queue queue.Config[K]

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

func (c Config[K]) withDefaults() Config[K] {
	c.Workers = max(c.Workers, 1)
	c.MaxWorkers = max(c.MaxWorkers, c.Workers)
	c.TargetLatency = cmp.Or(c.TargetLatency, 200*time.Millisecond)
	c.Timeout = cmp.Or(c.Timeout, 10*time.Minute)
	c.SettleTimeout = cmp.Or(c.SettleTimeout, 2*time.Minute)
	c.ReplayParked = cmp.Or(c.ReplayParked, 30*time.Minute)
	c.GracePeriod = cmp.Or(c.GracePeriod, 20*time.Second)
	c.Breaker = c.Breaker.withDefaults()
	if c.Classify == nil {
		c.Classify = Classify
	}
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	c.Queue.Name = cmp.Or(c.Queue.Name, c.Name)
	if c.Queue.Clock == nil {
		c.Queue.Clock = c.Clock
	}
	c.Queue.Remember = cmp.Or(c.Queue.Remember, remembered)
	c.Queue.Timed = true
	return c
}

// remembered is more than a queue remembers by itself: the keys of a controller come back, with each resync and restart of
// its watches, and the objects that they stand for take much more memory.
const remembered = 64 * 1024

// Validate returns an error that names the field that is wrong and what it may be. [New] returns it, too.
func (c Config[K]) Validate() error {
	switch {
	case c.Name == "":
		return errors.New("controller: Config.Name is empty; it names the controller in logs and errors")
	case c.Reconcile == nil:
		return fmt.Errorf("controller %q: Config.Reconcile is nil", c.Name)
	case c.Workers < 0:
		return fmt.Errorf("controller %q: Config.Workers is %d; it must be 1 or more, or 0 for the default", c.Name, c.Workers)
	case c.MaxWorkers < 0 || c.MaxWorkers > 0 && c.MaxWorkers < c.Workers:
		return fmt.Errorf("controller %q: Config.MaxWorkers is %d; it must be Workers, %d, or more, or 0 for the default",
			c.Name, c.MaxWorkers, c.Workers)
	case c.TargetLatency < 0:
		return fmt.Errorf("controller %q: Config.TargetLatency is %v; it must be positive, or 0 for the default",
			c.Name, c.TargetLatency)
	}
	for n, source := range c.Sources {
		if source == nil {
			return fmt.Errorf("controller %q: Config.Sources[%d] is nil", c.Name, n)
		}
	}
	if err := c.Breaker.validate(); err != nil {
		return fmt.Errorf("controller %q: Config.Breaker: %w", c.Name, err)
	}
	if err := c.Queue.Validate(); err != nil {
		return fmt.Errorf("controller %q: Config.Queue: %w", c.Name, err)
	}
	return nil
}
