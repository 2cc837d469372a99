package queue

import "maps"

// A table finds the entry of a key. It remembers for a while the entries of keys that are done, so that a key that comes
// back is found instead of inserted, and the failures of keys that were not forgotten, as many as its bounds allow.
type table[K comparable] struct {
	entries  map[K]*entry[K]
	peak     int // most entries since the map was made
	remember int // idle entries; more while there are more active ones
	tenantOf func(K) string
	tenants  map[string]*tenant[K]
	busy     int // tenants that are counted anywhere

	kept    ring[*entry[K]] // entries that became idle, the first first; some may be active again
	failing ring[*entry[K]] // likewise, that were failing when their time in kept was over
	retired uint            // entries that found no room
	spare   []*entry[K]     // for keys to come
}

// Bounds of what is remembered.
const (
	maxFailing = 64 * 1024  // idle entries of keys whose failures were not forgotten
	maxSpare   = 1024       // unused entries
	minShrink  = 128 * 1024 // entries in a map that is worth making anew when little is left in it
)

// A tenant is a group of keys that takes turns with other groups.
type tenant[K comparable] struct {
	name    string
	lanes   [numClasses]lane[K]
	counts  [numPlaces]int
	total   int // of counts
	entries int // of this tenant in the table
}

func newTable[K comparable](remember int, tenantOf func(K) string) table[K] {
	return table[K]{remember: remember, entries: make(map[K]*entry[K]), tenantOf: tenantOf, tenants: make(map[string]*tenant[K])}
}

// get returns the entry of the key, or nil.
func (t *table[K]) get(key K) *entry[K] { return t.entries[key] }

// add returns the entry of the key, made if needed. The caller must make an idle one active.
func (t *table[K]) add(key K) *entry[K] {
	return t.orInsert(t.entries[key], key)
}

// orInsert is add when the key was looked up already.
func (t *table[K]) orInsert(found *entry[K], key K) *entry[K] {
	if found != nil {
		return found
	}
	return t.insert(key)
}

func (t *table[K]) insert(key K) *entry[K] {
	tenant := t.join(key) // may panic, being the user's
	e := t.unused()
	e.key, e.tenant, e.class = key, tenant, normalClass
	t.entries[key] = e
	t.peak = max(t.peak, len(t.entries))
	return e
}

func (t *table[K]) unused() *entry[K] {
	last := len(t.spare) - 1
	if last < 0 {
		return new(entry[K])
	}
	e := t.spare[last]
	t.spare = t.spare[:last]
	return e
}

func (t *table[K]) join(key K) *tenant[K] {
	if t.tenantOf == nil {
		return nil
	}
	name := t.tenantOf(key)
	group := t.tenants[name]
	if group == nil {
		group = &tenant[K]{name: name}
		t.tenants[name] = group
	}
	group.entries++
	return group
}

// count counts an entry of the tenant somewhere, or no more.
func (t *table[K]) count(group *tenant[K], where place, change int) {
	before := group.total
	group.counts[where] += change
	group.total += change
	switch {
	case before == 0 && group.total > 0:
		t.busy++
	case before > 0 && group.total == 0:
		t.busy--
	}
}

// retire remembers an entry that became idle, or drops it.
func (t *table[K]) retire(e *entry[K]) {
	if e.kept {
		return
	}
	active := len(t.entries) - t.kept.len() - t.failing.len()
	room := max(t.remember, active) - t.kept.len()
	if room <= 0 && e.failures == 0 && !t.mayReplace() {
		t.drop(e)
	} else {
		e.kept = true
		t.kept.push(e)
		room--
	}
	for range min(2, -room) { // two are enough to follow the number of active entries down
		t.evict()
	}
}

// mayReplace says whether an entry may take the place of another, which is so for one in eight. When there are far more
// keys than places, the others would only push out what comes back before they do; and to drop an entry that was just
// used is cheaper than one that was not for long.
func (t *table[K]) mayReplace() bool {
	t.retired++
	return t.retired%8 == 0
}

// evict takes the oldest entry out of kept. One that is active comes back when it is idle again.
func (t *table[K]) evict() {
	e := t.kept.pop()
	e.kept = false
	switch {
	case e.active():
	case e.failures == 0:
		t.drop(e)
	default:
		e.kept = true
		t.failing.push(e)
		if t.failing.len() > maxFailing {
			t.evictFailing()
		}
	}
}

func (t *table[K]) evictFailing() {
	e := t.failing.pop()
	e.kept = false
	if !e.active() {
		t.drop(e)
	}
}

// drop forgets an entry that is idle and in no ring.
func (t *table[K]) drop(e *entry[K]) {
	delete(t.entries, e.key)
	if group := e.tenant; group != nil {
		group.entries--
		if group.entries == 0 {
			delete(t.tenants, group.name)
		}
	}
	if len(t.spare) < maxSpare {
		e.reset()
		t.spare = append(t.spare, e)
	}
	if t.peak >= minShrink && len(t.entries) <= t.peak/8 {
		t.shrink()
	}
}

// shrink gives memory back after a burst: a map does not do so itself.
func (t *table[K]) shrink() {
	t.entries, t.peak = compact(t.entries), len(t.entries)
	t.tenants = compact(t.tenants)
}

func compact[K comparable, V any](large map[K]V) map[K]V {
	small := make(map[K]V, len(large))
	maps.Copy(small, large)
	return small
}
