package queue

import (
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"time"
)

// CheckInvariants walks through everything in the queue and says what does not fit together.
func CheckInvariants[K comparable](q *Queue[K]) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := checker[K]{core: &q.core, linked: map[*entry[K]]int{}, entries: slices.Collect(maps.Values(q.core.table.entries))}
	c.checkEntries()
	c.checkRunning()
	c.checkList("parked", &q.core.parked, func(e *entry[K]) bool { return e.pending == parked })
	c.checkReady()
	c.checkLinks()
	c.checkSchedule()
	c.checkCounts()
	c.checkTenants()
	c.checkTable()
	c.checkWaiting(q)
	return errors.Join(c.errs...)
}

type checker[K comparable] struct {
	core    *core[K]
	entries []*entry[K]
	linked  map[*entry[K]]int // how many lists an entry is on
	errs    []error
}

func (c *checker[K]) want(holds bool, format string, args ...any) {
	if !holds {
		c.errs = append(c.errs, fmt.Errorf(format, args...))
	}
}

func (c *checker[K]) number(is func(*entry[K]) bool) int {
	n := 0
	for _, e := range c.entries {
		if is(e) {
			n++
		}
	}
	return n
}

// checkEntries checks what holds of each entry by itself.
func (c *checker[K]) checkEntries() {
	for _, e := range c.entries {
		c.want(c.core.table.entries[e.key] == e, "%v: the entry is that of another key", e.key)
		c.want(e.pending < parked || e.pending == parked && !e.running, "%v: pending %d, running %v", e.key, e.pending, e.running)
		c.want(!e.firm || e.pending == ready, "%v: firm, pending %d", e.key, e.pending)
		c.want(!e.promised || e.scheduled, "%v: promised, but not scheduled", e.key)
		c.want(!e.scheduled || e.pending == idle || e.pending == ready && e.promised, "%v: scheduled, pending %d", e.key, e.pending)
		c.want(e.pending != parked || e.extra != nil, "%v: parked, and nobody knows since when", e.key)
		c.want(int(e.class) < numClasses && int(e.runClass) < numClasses, "%v: class %d, running in %d", e.key, e.class, e.runClass)
		c.want((e.tenant != nil) == (c.core.table.tenantOf != nil), "%v: tenant %v", e.key, e.tenant)
		if !e.active() {
			c.want(e.kept, "%v: idle and in no ring, so never forgotten", e.key)
			c.want(e.class == normalClass, "%v: idle in class %d", e.key, e.class)
			c.want(e.extra == nil || e.extra.triggers == nil, "%v: idle with triggers", e.key)
		}
		if c.core.shutDown {
			c.want(e.pending == idle || e.pending == ready, "%v: shut down, pending %d", e.key, e.pending)
		}
	}
}

// checkList checks that a list is a chain of exactly those entries that belong there.
func (c *checker[K]) checkList(name string, l *list[K], belongs func(*entry[K]) bool) {
	var prev *entry[K]
	n := 0
	for e := l.head; e != nil && n <= l.count; prev, e = e, e.next {
		n++
		c.linked[e]++
		c.want(e.prev == prev, "%s: the entry before %v is another", name, e.key)
		c.want(belongs(e), "%s: %v does not belong there", name, e.key)
		c.want(c.core.table.get(e.key) == e, "%s: %v is not in the table", name, e.key)
	}
	c.want(l.tail == prev, "%s: ends elsewhere", name)
	c.want(n == l.count, "%s: counts %d, has %d or more", name, l.count, n)
	c.want(c.number(belongs) == n, "%s: has %d entries, %d belong there", name, n, c.number(belongs))
}

func (c *checker[K]) checkRunning() {
	c.checkList("running", &c.core.running, func(e *entry[K]) bool { return e.running })
	var started time.Duration
	for e := range c.core.running.all() {
		started += e.since
	}
	c.want(started == c.core.started, "running: started at %v in sum, not %v", started, c.core.started)
}

func (c *checker[K]) checkReady() {
	r := &c.core.ready
	queued := c.number((*entry[K]).queued)
	c.want(r.count == queued, "ready: counts %d, %d belong there", r.count, queued)
	if r.order != nil {
		c.want(r.order.Len() == queued, "ready: the order has %d, %d belong there", r.order.Len(), queued)
		return
	}
	c.want(bits.Len8(r.filled) <= numClasses, "ready: filled %b", r.filled)
	for i := range r.lines {
		line := &r.lines[i]
		filled := r.filled&(1<<i) != 0
		empty := line.common.head == nil && line.turn == nil
		c.want(filled == !empty, "ready: class %d is empty: %v; marked as filled: %v", i, empty, filled)
		c.want(filled || line.overtaken == 0, "ready: class %d is empty and was overtaken %d times", i, line.overtaken)
		c.checkLine(class(i), line)
	}
}

// checkLine checks the lanes of a class, and that those with entries form a circle.
func (c *checker[K]) checkLine(class class, l *line[K]) {
	c.checkList(fmt.Sprintf("class %d", class), &l.common.list, func(e *entry[K]) bool {
		return e.queued() && e.class == class && e.tenant == nil
	})
	filled := 0
	for name, tenant := range c.core.table.tenants {
		lane := &tenant.lanes[class]
		c.checkList(fmt.Sprintf("class %d, tenant %q", class, name), &lane.list, func(e *entry[K]) bool {
			return e.queued() && e.class == class && e.tenant == tenant
		})
		c.want((lane.count > 0) == (lane.after != nil), "class %d, tenant %q: %d entries, in the circle: %v",
			class, name, lane.count, lane.after != nil)
		if lane.count > 0 {
			filled++
		}
	}
	for lane := l.turn; filled > 0 && lane != nil; lane = lane.after {
		filled--
		c.want(lane.after != nil && lane.after.before == lane, "class %d: the circle is broken", class)
		c.want((lane.after == l.turn) == (filled == 0), "class %d: the circle closes with %d lanes left", class, filled)
	}
	c.want(filled == 0, "class %d: %d lanes are not in the circle", class, filled)
}

// checkLinks checks that no entry is on two lists, and that those on none have no neighbours.
func (c *checker[K]) checkLinks() {
	for _, e := range c.entries {
		c.want(c.linked[e] <= 1, "%v is on %d lists", e.key, c.linked[e])
		c.want(c.linked[e] == 1 || e.next == nil && e.prev == nil, "%v is on no list and has neighbours", e.key)
	}
}

func (c *checker[K]) checkSchedule() {
	s := &c.core.delayed
	belong := c.number(func(e *entry[K]) bool { return e.scheduled })
	c.want(len(s.slots) == belong, "schedule: has %d, %d belong there", len(s.slots), belong)
	c.errs = append(c.errs, s.check())
	for _, slot := range s.slots {
		c.want(slot.entry.scheduled, "schedule: %v does not belong there", slot.entry.key)
		c.want(c.core.table.get(slot.entry.key) == slot.entry, "schedule: %v is not in the table", slot.entry.key)
	}
}

// check checks the heap, and that entries know where they are.
func (s *schedule[K]) check() error {
	for i, slot := range s.slots {
		if int(slot.entry.position) != i {
			return fmt.Errorf("schedule: %v is at %d, not at %d", slot.entry.key, i, slot.entry.position)
		}
		if parent := s.slots[max(0, i-1)/arity]; i > 0 && !parent.before(slot) {
			return fmt.Errorf("schedule: %v at %d comes before its parent", slot.entry.key, i)
		}
	}
	for _, slot := range s.slots[len(s.slots):cap(s.slots)] {
		if slot.entry != nil {
			return fmt.Errorf("schedule: holds on to %v", slot.entry.key)
		}
	}
	return nil
}

// checkCounts counts anew.
func (c *checker[K]) checkCounts() {
	var counts [numPlaces][numClasses]int
	tenants := map[*tenant[K]]*[numPlaces]int{}
	add := func(e *entry[K], where place, class class) {
		counts[where][class]++
		if e.tenant == nil {
			return
		}
		if tenants[e.tenant] == nil {
			tenants[e.tenant] = new([numPlaces]int)
		}
		tenants[e.tenant][where]++
	}
	for _, e := range c.entries {
		if e.running {
			add(e, inRunning, e.runClass)
		}
		if e.scheduled {
			add(e, inDelayed, e.class)
		}
		if e.queued() {
			add(e, inReady, e.class)
		}
		if e.pending == parked {
			add(e, inParked, e.class)
		}
	}
	c.want(counts == c.core.counts, "counts are %v, counted %v", c.core.counts, counts)
	busy := 0
	for name, tenant := range c.core.table.tenants {
		want := tenants[tenant]
		if want == nil {
			want = new([numPlaces]int)
		}
		c.want(tenant.counts == *want, "tenant %q: counts are %v, counted %v", name, tenant.counts, *want)
		total := want[inReady] + want[inDelayed] + want[inRunning] + want[inParked]
		c.want(tenant.total == total, "tenant %q: the total is %d, counted %d", name, tenant.total, total)
		busy += min(total, 1)
	}
	c.want(busy == c.core.table.busy, "%d tenants are busy, counted %d", c.core.table.busy, busy)
}

func (c *checker[K]) checkTenants() {
	counted := map[*tenant[K]]int{}
	for _, e := range c.entries {
		if e.tenant != nil {
			counted[e.tenant]++
		}
	}
	for name, tenant := range c.core.table.tenants {
		c.want(tenant.name == name, "tenant %q is called %q", name, tenant.name)
		c.want(tenant.entries == counted[tenant] && tenant.entries > 0, "tenant %q: has %d entries, counted %d",
			name, tenant.entries, counted[tenant])
		delete(counted, tenant)
	}
	c.want(len(counted) == 0, "%d tenants of entries are not known", len(counted))
}

// checkTable checks the rings and the bounds of what is remembered.
func (c *checker[K]) checkTable() {
	t := &c.core.table
	c.errs = append(c.errs, t.check())
	kept := c.number(func(e *entry[K]) bool { return e.kept })
	c.want(kept == t.kept.len()+t.failing.len(), "%d entries are kept, the rings have %d and %d", kept, t.kept.len(), t.failing.len())
	active := c.number((*entry[K]).active)
	bound := active + max(t.remember, active+t.failing.len()) + t.failing.len()
	c.want(len(t.entries) <= bound, "%d entries, %d active, %d failing", len(t.entries), active, t.failing.len())
}

func (t *table[K]) check() error {
	var errs []error
	seen := map[*entry[K]]bool{}
	for _, r := range []*ring[*entry[K]]{&t.kept, &t.failing} {
		for e := range r.items() {
			if seen[e] || !e.kept || t.entries[e.key] != e {
				errs = append(errs, fmt.Errorf("ring: %v: kept %v, seen %v", e.key, e.kept, seen[e]))
			}
			seen[e] = true
		}
	}
	for _, e := range t.spare {
		if e.extra != nil && *e.extra != (extra{}) || *e != (entry[K]{extra: e.extra}) {
			errs = append(errs, fmt.Errorf("spare: %v is not as new", e.key))
		}
	}
	if n, limit := t.kept.len(), max(t.remember, len(t.entries)/2); n > limit {
		errs = append(errs, fmt.Errorf("%d entries are kept, %d may be", n, limit))
	}
	if t.failing.len() > maxFailing || len(t.spare) > maxSpare {
		errs = append(errs, fmt.Errorf("%d failing, %d spare entries", t.failing.len(), len(t.spare)))
	}
	if t.peak < len(t.entries) || t.peak >= minShrink && len(t.entries) <= t.peak/8 {
		errs = append(errs, fmt.Errorf("%d entries in a map that had %d", len(t.entries), t.peak))
	}
	return errors.Join(errs...)
}

// checkWaiting checks that nobody who waits is forgotten.
func (c *checker[K]) checkWaiting(q *Queue[K]) {
	c.want(q.waiting >= 0, "%d callers wait", q.waiting)
	c.want(len(q.wake) == 0 || q.waking, "a token that nobody knows of")
	if q.waiting > 0 {
		putOff := q.patience.wakeAt != never && q.alarm.at <= q.patience.wakeAt
		c.want(q.waking || putOff || q.core.ready.len() == 0 && !q.core.shutDown, "%d callers wait for %d ready keys", q.waiting, q.core.ready.len())
		c.want(q.alarm.at <= q.core.delayed.nextDue(), "%d callers wait, alarm at %v, the first key is due at %v",
			q.waiting, q.alarm.at, q.core.delayed.nextDue())
	}
}
