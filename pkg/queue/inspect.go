package queue

import (
	"fmt"
	"iter"
	"time"
)

// A State is where a key is.
type State string

// The states. A key that is running may be ready or delayed at the same time, and one that is ready may be delayed: see
// [KeyInfo.Next].
const (
	Ready   State = "ready"   // waits for a worker
	Delayed State = "delayed" // waits for its time
	Running State = "running" // is being processed
	Parked  State = "parked"  // failed too often, waits for a person
)

// A Wait says what a delayed key waits for.
type Wait uint8

// The waits.
const (
	WaitDelay   Wait = iota // the delay that was asked for
	WaitBackOff             // its retry
	WaitQuiet               // a pause of its events, see [Config.HotKeys]
)

func (w Wait) String() string {
	switch w {
	case WaitDelay:
		return "delay"
	case WaitBackOff:
		return "back-off"
	case WaitQuiet:
		return "quiet"
	default:
		return fmt.Sprintf("Wait(%d)", uint8(w))
	}
}

// A KeyInfo says where a key was at a moment, and why.
type KeyInfo[K comparable] struct {
	Key   K
	At    time.Time // the moment
	State State
	Next  State     // what follows: Ready if it runs again right after, Delayed if later, or else empty
	Since time.Time // when it became ready, running or parked, if the queue keeps times; zero if it is delayed
	Due   time.Time // when it is ready, or ready again; zero if it waits for no time
	Wait  Wait      // what it waits for until then

	Priority Priority
	Tenant   string    // see [Config.Tenant]
	Failures int       // in a row
	LastErr  error     // of the last failure, as far as it was told
	Triggers *Triggers // of the pending run, if the queue keeps them; not to be changed
}

// Why says in a sentence why the key is where it is.
func (i KeyInfo[K]) Why() string {
	why := i.what()
	if i.Failures > 0 {
		why += fmt.Sprintf("; failures in a row: %d", i.Failures)
	}
	if i.LastErr != nil {
		why += fmt.Sprintf("; last error: %q", i.LastErr.Error())
	}
	return why
}

func (i KeyInfo[K]) what() string {
	switch {
	case i.State == Ready && i.Next == Delayed:
		return fmt.Sprintf("ready%s, waits for a worker in class %v, and again in %v", i.since(), i.Priority, i.Due.Sub(i.At))
	case i.State == Ready:
		return fmt.Sprintf("ready%s, waits for a worker in class %v", i.since(), i.Priority)
	case i.State == Parked:
		return fmt.Sprintf("parked%s, waits to be replayed or dropped", i.since())
	case i.State == Delayed:
		return fmt.Sprintf("waits %v for its %v", i.Due.Sub(i.At), i.Wait)
	case i.Next == Ready:
		return fmt.Sprintf("running%s, and again right after", i.since())
	case i.Next == Delayed:
		return fmt.Sprintf("running%s, and again in %v (%v)", i.since(), i.Due.Sub(i.At), i.Wait)
	default:
		return "running" + i.since()
	}
}

// since says for how long, if that is known.
func (i KeyInfo[K]) since() string {
	if i.Since.IsZero() {
		return ""
	}
	return fmt.Sprintf(" for %v", i.At.Sub(i.Since))
}

// A Snapshot is everything in a queue at one moment.
type Snapshot[K comparable] struct {
	Name     string
	At       time.Time
	ShutDown bool
	Status   Status
	Tenants  []TenantStatus // some, in no order; none unless the queue knows tenants

	Ready   []KeyInfo[K] // class by class from the highest, and in it tenant by tenant, the longest ready first
	Delayed []KeyInfo[K] // by the time they are due; also those that are ready or running until then
	Running []KeyInfo[K] // the longest running first
	Parked  []KeyInfo[K] // the longest parked first
}

// A TenantStatus counts the keys of one tenant. A key that waits for its time, and is ready or running until then, counts for
// both.
type TenantStatus struct {
	Name                            string
	Ready, Delayed, Running, Parked int
}

// Inspect returns a consistent snapshot with at most the given number of keys of each state, and of tenants, and all of
// them if it is negative; what is counted counts all. It holds the queue's lock meanwhile, for up to a microsecond for
// each key that is returned, and some time for the tenants of all keys that it remembers: ask for thousands, not for
// millions. With [Config.Order] the ready keys are in no order, and the queue looks for them among all its keys.
func (q *Queue[K]) Inspect(limit int) Snapshot[K] {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	q.core.promote(now)
	return Snapshot[K]{
		Name:     q.name,
		At:       q.core.start.Add(now),
		ShutDown: q.core.shutDown,
		Status:   q.core.status(now),
		Tenants:  q.core.tenantStatuses(limit),
		Ready:    q.core.infos(q.core.allReady(), limit, now),
		Delayed:  q.core.infos(q.core.delayed.all(), limit, now),
		Running:  q.core.infos(q.core.running.all(), limit, now),
		Parked:   q.core.infos(q.core.parked.all(), limit, now),
	}
}

// Find says where a key is and why it is not running. It returns false when there is nothing to do for the key.
func (q *Queue[K]) Find(key K) (KeyInfo[K], bool) {
	now := q.now()
	q.mu.Lock()
	defer q.unlock()
	q.core.promote(now)
	e := q.core.table.get(key)
	if e == nil || !e.active() {
		return KeyInfo[K]{}, false
	}
	return q.core.info(e, now), true
}

func (c *core[K]) infos(entries iter.Seq[*entry[K]], limit int, now time.Duration) []KeyInfo[K] {
	var infos []KeyInfo[K]
	for e := range entries {
		if limit >= 0 && len(infos) >= limit {
			break
		}
		infos = append(infos, c.info(e, now))
	}
	return infos
}

func (c *core[K]) info(e *entry[K], now time.Duration) KeyInfo[K] {
	info := KeyInfo[K]{Key: e.key, At: c.start.Add(now), Priority: e.class.priority(), Failures: int(e.failures)}
	info.State, info.Since = c.state(e)
	info.Next = next(e)
	if e.running {
		info.Priority = e.runClass.priority()
	}
	if e.scheduled {
		info.Due, info.Wait = c.start.Add(c.delayed.due(e)), e.wait
	}
	if e.tenant != nil {
		info.Tenant = e.tenant.name
	}
	if x := e.extra; x != nil {
		info.LastErr, info.Triggers = x.lastErr, x.triggers.clone()
	}
	return info
}

func (c *core[K]) state(e *entry[K]) (State, time.Time) {
	switch {
	case e.running:
		return Running, c.stamp(e.since)
	case e.pending == ready:
		return Ready, c.stamp(e.since)
	case e.pending == parked:
		return Parked, c.start.Add(e.extra.parkedAt)
	default:
		return Delayed, time.Time{}
	}
}

func next[K comparable](e *entry[K]) State {
	switch {
	case e.running && e.pending == ready:
		return Ready
	case e.scheduled && (e.running || e.pending == ready):
		return Delayed
	default:
		return ""
	}
}

// allReady returns the entries that wait for a worker.
func (c *core[K]) allReady() iter.Seq[*entry[K]] {
	if c.ready.order != nil {
		return c.table.queued()
	}
	return c.ready.all()
}

func (c *core[K]) tenantStatuses(limit int) []TenantStatus {
	var statuses []TenantStatus
	for name, tenant := range c.table.tenants {
		if limit >= 0 && len(statuses) >= limit {
			break
		}
		counts := tenant.counts
		if tenant.total == 0 {
			continue // only remembered
		}
		statuses = append(statuses, TenantStatus{
			Name:    name,
			Ready:   counts[inReady],
			Delayed: counts[inDelayed],
			Running: counts[inRunning],
			Parked:  counts[inParked],
		})
	}
	return statuses
}
