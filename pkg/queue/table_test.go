package queue

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// A naiveTable knows of each key in a table how its entry stands.
type naiveTable struct {
	active   map[int]bool
	failures map[int]int
}

// A tableTrial uses a table as the core does: entries become active when they are found, and are retired when nothing is
// left to do.
type tableTrial struct {
	table table[int]
	model naiveTable
}

func newTableTrial(tenantOf func(int) string) *tableTrial {
	return &tableTrial{newTable(DefaultRemember, tenantOf), naiveTable{map[int]bool{}, map[int]int{}}}
}

func (r *tableTrial) use(key, failures int) {
	e := r.table.add(key)
	e.pending, e.failures = ready, int32(failures)
	r.model.active[key] = true
	r.model.failures[key] = failures
}

func (r *tableTrial) retire(key int) {
	if !r.model.active[key] {
		return
	}
	e := r.table.get(key)
	e.pending = idle
	r.table.retire(e)
	delete(r.model.active, key)
}

// check compares what must be known: keys that are active, with their failures. Others may be forgotten, but what is
// remembered of them is right.
func (r *tableTrial) check() error {
	for key := range r.model.active {
		if e := r.table.get(key); e == nil || e.key != key || int(e.failures) != r.model.failures[key] {
			return fmt.Errorf("key %d is active, with %d failures; its entry is %+v", key, r.model.failures[key], e)
		}
	}
	tenants := map[string]int{}
	for key, e := range r.table.entries {
		if e.key != key || int(e.failures) != r.model.failures[key] || e.active() != r.model.active[key] || !e.active() && !e.kept {
			return fmt.Errorf("key %d has %d failures, active: %v; its entry is %+v", key, r.model.failures[key], r.model.active[key], e)
		}
		if e.tenant != nil {
			tenants[e.tenant.name]++
		}
	}
	for name, tenant := range r.table.tenants {
		if tenant.entries != tenants[name] {
			return fmt.Errorf("tenant %s has %d entries, want %d", name, tenant.entries, tenants[name])
		}
	}
	if len(tenants) != len(r.table.tenants) {
		return fmt.Errorf("%d tenants are known, %d have entries", len(r.table.tenants), len(tenants))
	}
	return r.table.check()
}

func tenantOfKey(key int) string { return fmt.Sprint(key / 100) }

func TestTableAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newTableTrial(tenantOfKey)
		drawKey := func(t *rapid.T) int { return rapid.IntRange(0, 5000).Draw(t, "key") }
		drawFailures := func(t *rapid.T) int { return rapid.SampledFrom([]int{0, 1, 0, 7}).Draw(t, "failures") }
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				if err := r.check(); err != nil {
					t.Fatal(err)
				}
			},
			"use": func(t *rapid.T) { r.use(drawKey(t), drawFailures(t)) },
			"use many": func(t *rapid.T) {
				from, failures := drawKey(t), drawFailures(t)
				for key := range rapid.IntRange(0, 3000).Draw(t, "keys") {
					r.use(from+key, failures)
				}
			},
			"retire": func(t *rapid.T) { r.retire(drawKey(t)) },
			"retire many": func(t *rapid.T) {
				from := drawKey(t)
				for key := range rapid.IntRange(0, 5000).Draw(t, "keys") {
					r.retire(from + key)
				}
			},
			"come and go": func(t *rapid.T) {
				from, failures := drawKey(t), drawFailures(t)
				for key := range rapid.IntRange(0, 3000).Draw(t, "keys") {
					r.use(from+key, failures)
					r.retire(from + key)
				}
			},
		})
	})
}

// How many idle keys a queue remembers is up to its config.
func TestAQueueRemembersAsManyKeysAsItIsTold(t *testing.T) {
	for config, want := range map[int]int{0: DefaultRemember, 3: 3, 2 * DefaultRemember: 2 * DefaultRemember} {
		q := New(Config[int]{Remember: config})
		for key := range want + 10 {
			q.Add(key)
			q.Get()
			q.Done(key)
		}
		if got := len(q.core.table.entries); got != want {
			t.Errorf("Remember %d: %d keys are remembered, want %d", config, got, want)
		}
		q.ShutDown()
	}
}

// One in eight of the keys that find no room replaces the one that has been idle for longest.
func TestAFullTableReplacesSomeOfTheLongestIdle(t *testing.T) {
	r := newTableTrial(nil)
	const more = 800
	for key := range DefaultRemember + more {
		r.use(key, 0)
		r.retire(key)
	}
	known := 0
	for key := range more {
		if r.table.get(DefaultRemember+key) != nil {
			known++
		}
		if key >= more/8 && r.table.get(key) == nil {
			t.Errorf("key %d is forgotten; only %d have been idle for longer", key, key)
		}
	}
	if known != more/8 || len(r.table.entries) != DefaultRemember {
		t.Errorf("%d of %d later keys are known, of %d in all", known, more, len(r.table.entries))
	}
}

func TestTableRemembersFailuresLonger(t *testing.T) {
	r := newTableTrial(nil)
	r.use(-1, 3)
	r.retire(-1)
	for key := range 10 * DefaultRemember {
		r.use(key, 0)
		r.retire(key)
	}
	if e := r.table.get(-1); e == nil || e.failures != 3 {
		t.Errorf("the key that failed is forgotten after %d others that did not", 10*DefaultRemember)
	}
	const others = 2*maxFailing + 2*DefaultRemember
	for key := range others {
		r.use(10*DefaultRemember+key, 1)
		r.retire(10*DefaultRemember + key)
	}
	if r.table.get(-1) != nil {
		t.Errorf("the key that failed is remembered after %d others that failed", others)
	}
	if err := r.check(); err != nil {
		t.Error(err)
	}
}

// After a burst the memory of a table is that of the keys that are left.
func TestTableShrinksAfterABurst(t *testing.T) {
	const burst, left = 300_000, 10
	tests := map[string]func(key int) int{
		"first in, first out": func(key int) int { return key },
		"last in, first out":  func(key int) int { return burst - 1 - key },
	}
	for name, order := range tests {
		t.Run(name, func(t *testing.T) {
			r := newTableTrial(tenantOfKey)
			for key := range burst {
				r.use(key, 0)
			}
			for key := range burst - left {
				r.retire(order(key))
			}
			if err := r.check(); err != nil {
				t.Error(err)
			}
			if n := len(r.table.entries); n > DefaultRemember+left {
				t.Errorf("%d entries are left, want at most %d", n, DefaultRemember+left)
			}
			if r.table.peak >= minShrink {
				t.Errorf("the map was made for %d entries and has %d", r.table.peak, len(r.table.entries))
			}
			if slots := len(r.table.kept.slots); slots > 8*DefaultRemember {
				t.Errorf("the ring has %d slots for %d entries", slots, r.table.kept.len())
			}
			if n := len(r.table.spare); n != maxSpare {
				t.Errorf("%d entries are spare, want %d", n, maxSpare)
			}
		})
	}
}

// The bounds: DefaultRemember idle entries, more while there are more active ones, and maxFailing of keys that fail.
func TestIdleKeysThatFailedAreBounded(t *testing.T) {
	r := newTableTrial(nil)
	for key := range 3 * maxFailing {
		r.use(key, 1)
		r.retire(key)
	}
	if n, most := len(r.table.entries), DefaultRemember+maxFailing; n > most {
		t.Errorf("%d idle entries are remembered, %d may be: those of keys that fail count as active for the others", n, most)
	}
}
