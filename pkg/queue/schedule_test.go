package queue

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A dueEntry is what a naive schedule knows of an entry.
type dueEntry struct {
	entry *entry[int]
	due   time.Duration
	order int // in which times were set
}

// A sortedSchedule is a slice that is sorted after every change.
type sortedSchedule struct {
	entries []dueEntry
	times   int
}

func (s *sortedSchedule) set(e *entry[int], due time.Duration) {
	s.remove(e)
	s.times++
	s.entries = append(s.entries, dueEntry{e, due, s.times})
	slices.SortFunc(s.entries, func(a, b dueEntry) int {
		return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.order, b.order))
	})
}

func (s *sortedSchedule) remove(e *entry[int]) {
	s.entries = slices.DeleteFunc(s.entries, func(other dueEntry) bool { return other.entry == e })
}

func (s *sortedSchedule) has(e *entry[int]) bool {
	return slices.ContainsFunc(s.entries, func(other dueEntry) bool { return other.entry == e })
}

func TestScheduleAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s schedule[int]
		var model sortedSchedule
		pool := make([]*entry[int], 300)
		for i := range pool {
			pool[i] = &entry[int]{key: i}
		}
		set := func(e *entry[int], due time.Duration) {
			if model.has(e) {
				s.move(e, due)
			} else {
				s.add(e, due)
			}
			model.set(e, due)
		}
		remove := func(e *entry[int]) {
			if model.has(e) {
				s.remove(e)
				model.remove(e)
			}
		}
		drawEntry := func(t *rapid.T) *entry[int] { return pool[rapid.IntRange(0, len(pool)-1).Draw(t, "entry")] }
		drawDue := func(t *rapid.T) time.Duration { return time.Duration(rapid.IntRange(0, 9).Draw(t, "due")) }

		t.Repeat(map[string]func(*rapid.T){
			"":       func(t *rapid.T) { checkSchedule(t, &s, &model) },
			"set":    func(t *rapid.T) { set(drawEntry(t), drawDue(t)) },
			"remove": func(t *rapid.T) { remove(drawEntry(t)) },
			"set many": func(t *rapid.T) {
				from, step := rapid.IntRange(0, 9).Draw(t, "from"), rapid.IntRange(1, 5).Draw(t, "step")
				for i := from; i < len(pool); i += step {
					set(pool[i], time.Duration(i*7%11))
				}
			},
			"remove many": func(t *rapid.T) {
				for i := rapid.IntRange(0, 9).Draw(t, "from"); i < len(pool); i += rapid.IntRange(1, 3).Draw(t, "step") {
					remove(pool[i])
				}
			},
			"never":     func(t *rapid.T) { set(drawEntry(t), after(time.Hour, never)) },
			"pop":       func(t *rapid.T) { popSchedule(t, &s, &model, 1) },
			"pop many":  func(t *rapid.T) { popSchedule(t, &s, &model, 50) },
			"walk some": func(t *rapid.T) { walkSchedule(t, &s, &model, rapid.IntRange(0, 9).Draw(t, "entries")) },
		})
	})
}

func checkSchedule(t *rapid.T, s *schedule[int], model *sortedSchedule) {
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	if s.len() != len(model.entries) {
		t.Fatalf("len is %d, want %d", s.len(), len(model.entries))
	}
	first := never
	for i, want := range model.entries {
		if i == 0 {
			first = want.due
		}
		if got := s.due(want.entry); got != want.due {
			t.Fatalf("%d is due at %v, want %v", want.entry.key, got, want.due)
		}
	}
	if got := s.nextDue(); got != first {
		t.Fatalf("the first is due at %v, want %v", got, first)
	}
	if cap(s.slots) > minRing && len(s.slots) < cap(s.slots)/8 {
		t.Fatalf("%d entries in %d slots", len(s.slots), cap(s.slots))
	}
	walkSchedule(t, s, model, len(model.entries))
}

// walkSchedule visits the first n entries in order.
func walkSchedule(t *rapid.T, s *schedule[int], model *sortedSchedule, n int) {
	i := 0
	for e := range s.all() {
		if i == n {
			break
		}
		if want := model.entries[i].entry; e != want {
			t.Fatalf("%d is number %d, want %d", e.key, i, want.key)
		}
		i++
	}
	if want := min(n, len(model.entries)); i != want {
		t.Fatalf("visited %d entries, want %d", i, want)
	}
}

func popSchedule(t *rapid.T, s *schedule[int], model *sortedSchedule, n int) {
	for range min(n, len(model.entries)) {
		want := model.entries[0].entry
		got := s.first()
		s.remove(got)
		if got != want {
			t.Fatalf("popped %d, want %d", got.key, want.key)
		}
		model.remove(want)
	}
}
