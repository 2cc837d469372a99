package queue

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A naiveReady has a slice of all entries that wait, and whose turn it is in each class.
type naiveReady struct {
	maxOvertakes int
	entries      []*entry[int] // in the order in which they came
	turns        [numClasses][]*tenant[int]
	overtaken    [numClasses]int
}

func (r *naiveReady) of(class class, tenant *tenant[int]) []*entry[int] {
	var entries []*entry[int]
	for _, e := range r.entries {
		if e.class == class && e.tenant == tenant {
			entries = append(entries, e)
		}
	}
	return entries
}

func (r *naiveReady) push(e *entry[int]) {
	r.entries = append(r.entries, e)
	if !slices.Contains(r.turns[e.class], e.tenant) {
		r.turns[e.class] = append(r.turns[e.class], e.tenant)
	}
}

func (r *naiveReady) remove(e *entry[int]) {
	r.entries = slices.DeleteFunc(r.entries, func(other *entry[int]) bool { return other == e })
	if len(r.of(e.class, e.tenant)) == 0 {
		r.turns[e.class] = slices.DeleteFunc(r.turns[e.class], func(t *tenant[int]) bool { return t == e.tenant })
	}
	if len(r.turns[e.class]) == 0 {
		r.overtaken[e.class] = 0
	}
}

func (r *naiveReady) pop() *entry[int] {
	class := class(r.nextClass())
	turns := r.turns[class]
	e := r.of(class, turns[0])[0]
	r.turns[class] = append(slices.Clone(turns[1:]), turns[0])
	r.remove(e)
	return e
}

func (r *naiveReady) nextClass() int {
	var filled []int // from the lowest
	for class, turns := range r.turns {
		if len(turns) > 0 {
			filled = append(filled, class)
		}
	}
	served, most := filled[len(filled)-1], r.maxOvertakes-1
	for _, class := range filled {
		if r.overtaken[class] > most {
			served, most = class, r.overtaken[class]
		}
	}
	for _, class := range filled {
		r.overtaken[class]++
	}
	r.overtaken[served] = 0
	return served
}

// inOrder returns the entries class by class from the highest, and in it tenant by tenant.
func (r *naiveReady) inOrder() []*entry[int] {
	var entries []*entry[int]
	for i := range numClasses {
		class := class(numClasses - 1 - i)
		for _, tenant := range r.turns[class] {
			entries = append(entries, r.of(class, tenant)...)
		}
	}
	return entries
}

// A readyTrial does the same with a readySet and the naive one.
type readyTrial struct {
	set     readySet[int]
	model   naiveReady
	tenants []*tenant[int] // one that is nil if there are none
	keys    int
	pushed  func(*entry[int])
	removed func(e *entry[int], popped bool)
}

func newReadyTrial(t *rapid.T, atLeast int) *readyTrial {
	most := rapid.IntRange(atLeast, atLeast+6).Draw(t, "most overtakes")
	trial := &readyTrial{
		set: readySet[int]{maxOvertakes: most}, model: naiveReady{maxOvertakes: most}, tenants: []*tenant[int]{nil},
		pushed: func(*entry[int]) {}, removed: func(*entry[int], bool) {},
	}
	if rapid.Bool().Draw(t, "tenants") {
		trial.tenants = []*tenant[int]{{name: "a"}, {name: "b"}, {name: "c"}, {name: "d"}}
	}
	return trial
}

func (r *readyTrial) push(t *rapid.T, most int) {
	class := class(rapid.IntRange(0, numClasses-1).Draw(t, "class"))
	tenant := rapid.SampledFrom(r.tenants).Draw(t, "tenant")
	for range rapid.IntRange(1, most).Draw(t, "times") {
		r.keys++
		r.add(&entry[int]{key: r.keys, pending: ready, class: class, tenant: tenant})
	}
}

func (r *readyTrial) add(e *entry[int]) {
	r.pushed(e)
	r.set.push(e)
	r.model.push(e)
}

func (r *readyTrial) pop(t *rapid.T, most int) {
	for range min(len(r.model.entries), rapid.IntRange(1, most).Draw(t, "times")) {
		got, want := r.set.pop(), r.model.pop()
		if got != want {
			t.Fatalf("popped %d of class %d, want %d of class %d", got.key, got.class, want.key, want.class)
		}
		r.removed(got, true)
	}
}

// raise gives an entry another class.
func (r *readyTrial) raise(t *rapid.T) {
	if len(r.model.entries) == 0 {
		return
	}
	e := rapid.SampledFrom(r.model.entries).Draw(t, "entry")
	r.set.remove(e)
	r.model.remove(e)
	r.removed(e, false)
	e.class = class(rapid.IntRange(0, numClasses-1).Draw(t, "class"))
	r.add(e)
}

func (r *readyTrial) check(t *rapid.T) {
	if got, want := slices.Collect(r.set.all()), r.model.inOrder(); !slices.Equal(got, want) {
		t.Fatalf("has %d entries, want %d, or in another order", len(got), len(want))
	}
	if r.set.len() != len(r.model.entries) {
		t.Fatalf("len is %d, want %d", r.set.len(), len(r.model.entries))
	}
}

func (r *readyTrial) repeat(t *rapid.T) {
	for range 5 { // one is short
		t.Repeat(map[string]func(*rapid.T){
			"":          r.check,
			"push":      func(t *rapid.T) { r.push(t, 1) },
			"push many": func(t *rapid.T) { r.push(t, 30) },
			"pop":       func(t *rapid.T) { r.pop(t, 3) },
			"pop many":  func(t *rapid.T) { r.pop(t, 30) },
			"raise":     r.raise,
		})
	}
}

func TestReadySetAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { newReadyTrial(t, 1).repeat(t) })
}

// Config.MaxOvertakes: a class is served after so many keys of others at most, and one more for each of the other classes
// whose turn it is as well.
func TestNoClassWaitsForMoreThanSoManyKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newReadyTrial(t, 1)
		var waiting, waited [numClasses]int // entries, and how many of other classes came before them
		r.pushed = func(e *entry[int]) { waiting[e.class]++ }
		r.removed = func(e *entry[int], popped bool) {
			waiting[e.class]--
			for class := range numClasses {
				switch {
				case waiting[class] == 0 || popped && class == int(e.class):
					waited[class] = 0
				case popped:
					waited[class]++
				}
				bound := r.set.maxOvertakes + numClasses - 1
				if waited[class] > bound {
					t.Fatalf("class %d waits for %d keys of others, %d are allowed", class, waited[class], bound)
				}
			}
		}
		r.repeat(t)
	})
}

// Package documentation: keys of the same priority are handed out in turns, so whatever others add, a tenant waits for
// one key of each other at most.
func TestATenantWaitsForOneKeyOfEachOther(t *testing.T) {
	type seat struct {
		class  class
		tenant *tenant[int]
	}
	rapid.Check(t, func(t *rapid.T) {
		r := newReadyTrial(t, 1)
		waiting := map[seat]int{}
		before := map[seat]map[*tenant[int]]int{} // what was handed out in the class since it was the tenant's turn
		r.pushed = func(e *entry[int]) { waiting[seat{e.class, e.tenant}]++ }
		r.removed = func(e *entry[int], popped bool) {
			own := seat{e.class, e.tenant}
			waiting[own]--
			if popped || waiting[own] == 0 {
				delete(before, own)
			}
			for other, n := range waiting {
				if n == 0 || !popped || other == own || other.class != e.class {
					continue
				}
				if before[other] == nil {
					before[other] = map[*tenant[int]]int{}
				}
				before[other][e.tenant]++
				if before[other][e.tenant] > 1 {
					t.Fatalf("tenant %q waits in class %d for the second key of %q", other.tenant.name, e.class, e.tenant.name)
				}
			}
		}
		r.repeat(t)
	})
}
