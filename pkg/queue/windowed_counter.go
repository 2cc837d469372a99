package queue

import (
	"sync"
	"time"
)

// Defaults of [WindowConfig]: the rate of [DefaultRateLimiter], without its burst.
const (
	DefaultWindowLimit  = 10
	DefaultWindowPeriod = time.Second
)

// WindowConfig configures [WindowedCounter]. The zero value works: ten retries in any second, for all keys together.
type WindowConfig struct {
	// Limit is how many keys pass in any Period. Defaults to [DefaultWindowLimit]; negative panics.
	Limit int

	// Period is the length of the window. Defaults to [DefaultWindowPeriod]; negative panics.
	Period time.Duration

	// PerKey gives each key a window of its own. By default all keys share one.
	PerKey bool

	// MaxKeys is how many keys have a window if PerKey. At least 2 have. The MaxKeys/2 that passed last always have; of
	// older ones some are forgotten, and begin with an empty window. Defaults to [DefaultMaxKeys]; negative panics.
	MaxKeys int
}

func (c WindowConfig) withDefaults() WindowConfig {
	c.Limit = orDefault("WindowConfig.Limit", c.Limit, DefaultWindowLimit)
	c.Period = orDefault("WindowConfig.Period", c.Period, DefaultWindowPeriod)
	c.MaxKeys = orDefault("WindowConfig.MaxKeys", c.MaxKeys, DefaultMaxKeys)
	return c
}

// WindowedCounter returns a limiter by which at most Limit keys, or retries of each key, pass in any Period. It is
// exact: of the places in the order of their times, each is a Period or more after the one Limit places before it, also
// if the clock steps back. The places are logged for that, while a counter for each Period would let twice the Limit
// pass around the end of one.
//
// It counts no failures: success gives no place back, so Forget does nothing. It is a [Pacer] whose Spend takes the
// place, also one that is to come. A window grows with its use to about Limit·24 bytes.
func WindowedCounter[K comparable](config WindowConfig) RateLimiter[K] {
	config = config.withDefaults()
	common := &window{limit: config.Limit, period: config.Period}
	if !config.PerKey {
		return &windowedCounter[K]{shared: common}
	}
	return &windowedCounter[K]{empty: *common, windows: newRecent[K, *window](config.MaxKeys)}
}

type windowedCounter[K comparable] struct {
	mu      sync.Mutex
	shared  *window // of all keys; nil if each has its own
	empty   window  // what a key begins with
	windows recent[K, *window]
}

func (c *windowedCounter[K]) When(key K) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	return c.takeLocked(key, now).Sub(now)
}

func (*windowedCounter[K]) Forget(K)          {}
func (*windowedCounter[K]) NumRequeues(K) int { return 0 }

func (c *windowedCounter[K]) Wait(key K, _ int, now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.windowLocked(key)
	if w == nil {
		return 0
	}
	return w.next(now).Sub(now)
}

func (c *windowedCounter[K]) Spend(key K, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.takeLocked(key, now)
}

// takeLocked takes the next place of the key and returns when it is.
func (c *windowedCounter[K]) takeLocked(key K, now time.Time) time.Time {
	w := c.windowLocked(key)
	if w == nil {
		w = new(c.empty)
	}
	if c.shared == nil {
		c.windows.put(key, w)
	}
	place := w.next(now)
	w.add(place)
	return place
}

// windowLocked returns the window of the key, or nil if it has none yet.
func (c *windowedCounter[K]) windowLocked(key K) *window {
	if c.shared != nil {
		return c.shared
	}
	return c.windows.get(key)
}

// A window is the log of the latest places that were taken, at most limit of them.
type window struct {
	limit  int
	period time.Duration
	places []time.Time // from first on, and around, they ascend
	first  int         // 0 until there are limit of them
}

// next returns the first time from now on at which a place is free: less than limit places are taken in the period that
// ends there, or later.
func (w *window) next(now time.Time) time.Time {
	if len(w.places) < w.limit {
		return now
	}
	if free := w.places[w.first].Add(w.period); free.After(now) {
		return free
	}
	return now
}

// add logs a place in place of the earliest, which does not matter any more: the new one is a period later or more.
func (w *window) add(place time.Time) {
	if len(w.places) < w.limit {
		w.places = append(w.places, place)
	} else {
		w.places[w.first] = place
		w.first = (w.first + 1) % w.limit
	}
	w.sortLast()
}

// sortLast moves the last place to where it belongs, which is elsewhere only if the clock stepped back.
func (w *window) sortLast() {
	for i := len(w.places) - 1; i > 0; i-- {
		before, after := w.at(i-1), w.at(i)
		if !after.Before(*before) {
			return
		}
		*before, *after = *after, *before
	}
}

// at returns the i-th place, from the earliest.
func (w *window) at(i int) *time.Time {
	return &w.places[(w.first+i)%len(w.places)]
}
