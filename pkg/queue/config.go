package queue

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/utils/clock"
)

// Config configures a [Queue]. The zero value works: a first-in-first-out queue with client-go's rate limits.
type Config[K comparable] struct {
	// Name names the queue when it is inspected. It may be empty.
	Name string

	// RateLimiter decides how long a key waits that failed. It is called under the queue's lock: it must be quick and must
	// not call the queue. One that is a [Pacer] is asked only for a wait that is needed. Defaults to [DefaultRateLimiter].
	RateLimiter RateLimiter[K]

	// MaxRetries is how often in a row a key is retried; when it fails once more it is parked: see [Queue.Parked]. If
	// another run was asked for meanwhile, by [Queue.Add], [Queue.AddAfter] or an event that says Now, it begins anew. It
	// holds for [Queue.Finish]; who retries with [Queue.AddRateLimited] decides by [Queue.NumRequeues]. Defaults to no
	// limit; negative means none at all.
	MaxRetries int

	// MaxOvertakes is how many keys of other priorities are handed out before a class that has ready keys gets its turn,
	// one key. Of several classes whose turn it is the one comes first that waited for most keys, so each waits for one
	// key of each of the others at most. It counts keys and not time, so it holds however slow the workers are, and a
	// backlog of old work in a low class takes no more than one turn in so many from a higher one. Defaults to
	// [DefaultMaxOvertakes].
	MaxOvertakes int

	// Tenant says which tenant a key belongs to, for instance its namespace. Tenants that have ready keys of the same
	// priority take turns. It must always say the same of the same key; it is called under the queue's lock, when the
	// queue does not remember the key. Nil makes no difference between keys.
	Tenant func(key K) string

	// HotKeys merges the events of keys that have very many. Off by default.
	HotKeys HotKeys

	// Triggers is how many of the latest causes of a run are kept, beside the first and their number: see
	// [Item.Triggers]. Defaults to none at all, which costs nothing.
	Triggers int

	// Timed notes when keys become ready and when they are taken, for [Item.ReadyAt] and for whoever inspects the queue.
	// It costs two readings of the clock for each run, some 25 to 50 ns each, which is as much as all the rest; so it is
	// off by default. Metrics and Triggers turn it on.
	Timed bool

	// Remember is of how many idle keys the queue remembers the entry, besides those of keys that failed; of more while there
	// are more active keys. A key that is remembered costs a look-up when it comes back, else the map changes twice, which
	// takes about as long as all the rest. An entry takes some 200 bytes. Defaults to [DefaultRemember].
	Remember int

	// Order replaces the order of priorities, tenants and time, for instance by a workqueue.Queue of client-go. It can't
	// be combined with Tenant or MaxOvertakes. Nil means our own.
	Order Order[K]

	// Metrics is told what happens. Nil means nobody is, which costs nothing.
	Metrics Metrics

	// Clock tells the time and makes the timer. Defaults to the real clock.
	Clock clock.WithTicker
}

// HotKeys says when the events of a key are merged. A key is hot when an event comes less than Quiet after the one
// before. It then runs when no event has come for Quiet, but at the latest MaxWait after the event that began the wait.
// A key that is not hot runs at once, so a single event is never late. It holds for [Queue.AddWith] without Delay and
// Now, though those count for whether a key is hot. The queue remembers the last event of a key while the key is active, and
// of the idle ones as [Config.Remember] says.
type HotKeys struct {
	// Quiet is how long no event must come. Zero turns it off.
	Quiet time.Duration

	// MaxWait is how long a key waits at most. Defaults to ten times Quiet.
	MaxWait time.Duration
}

// The defaults of [Config.MaxOvertakes] and [Config.Remember].
const (
	DefaultMaxOvertakes = 32
	DefaultRemember     = 16 * 1024 // some 3 MB
)

// Validate returns an error that names the field that is wrong and what it may be. [New] panics with it.
func (c Config[K]) Validate() error {
	switch {
	case c.MaxOvertakes < 0:
		return fmt.Errorf("queue: Config.MaxOvertakes is %d; it must be 1 or more, or 0 for the default", c.MaxOvertakes)
	case c.Remember < 0:
		return fmt.Errorf("queue: Config.Remember is %d; it must be 1 or more, or 0 for the default", c.Remember)
	case c.Triggers < 0:
		return fmt.Errorf("queue: Config.Triggers is %d; it must be 1 or more, or 0 for none", c.Triggers)
	case c.HotKeys.Quiet < 0:
		return fmt.Errorf("queue: Config.HotKeys.Quiet is %v; it must be positive, or 0 for off", c.HotKeys.Quiet)
	case c.HotKeys.MaxWait < 0 || c.HotKeys.MaxWait > 0 && c.HotKeys.MaxWait < c.HotKeys.Quiet:
		return fmt.Errorf("queue: Config.HotKeys.MaxWait is %v; it must be Quiet (%v) or more, or 0 for the default",
			c.HotKeys.MaxWait, c.HotKeys.Quiet)
	case c.HotKeys.MaxWait > 0 && c.HotKeys.Quiet == 0:
		return errors.New("queue: Config.HotKeys.MaxWait is set and Quiet is not, so no key is ever hot")
	case c.Order != nil && c.Tenant != nil:
		return errors.New("queue: Config.Order and Config.Tenant are both set; an Order decides everything itself")
	case c.Order != nil && c.MaxOvertakes != 0:
		return errors.New("queue: Config.Order and Config.MaxOvertakes are both set; an Order decides everything itself")
	}
	return nil
}

func (c Config[K]) withDefaults() Config[K] {
	if c.RateLimiter == nil {
		c.RateLimiter = DefaultRateLimiter[K]()
	}
	if c.MaxOvertakes == 0 {
		c.MaxOvertakes = DefaultMaxOvertakes
	}
	if c.Remember == 0 {
		c.Remember = DefaultRemember
	}
	if c.HotKeys.MaxWait == 0 {
		c.HotKeys.MaxWait = 10 * c.HotKeys.Quiet
	}
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	return c
}
