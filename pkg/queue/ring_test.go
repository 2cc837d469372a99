package queue

import (
	"iter"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// items returns the items, the oldest first.
func (r *ring[T]) items() iter.Seq[T] {
	return func(yield func(T) bool) {
		for i := range r.count {
			if !yield(r.slots[(r.head+i)%len(r.slots)]) {
				return
			}
		}
	}
}

// A ring is compared with a slice.
func TestRingAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r ring[int]
		var model []int
		added := 0
		push := func(t *rapid.T, most int) {
			for range rapid.IntRange(0, most).Draw(t, "times") {
				added++
				r.push(added)
				model = append(model, added)
			}
		}
		pop := func(t *rapid.T, most int) {
			for range min(len(model), rapid.IntRange(0, most).Draw(t, "times")) {
				if got := r.pop(); got != model[0] {
					t.Fatalf("popped %d, want %d", got, model[0])
				}
				model = model[1:]
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"":              func(t *rapid.T) { checkRing(t, &r, model) },
			"push":          func(t *rapid.T) { push(t, 10) },
			"pop":           func(t *rapid.T) { pop(t, 10) },
			"push many":     func(t *rapid.T) { push(t, 1000) },
			"pop many":      func(t *rapid.T) { pop(t, 1000) },
			"pop all":       func(t *rapid.T) { pop(t, 1<<20) },
			"push and pops": func(t *rapid.T) { push(t, 100); pop(t, 100) },
		})
	})
}

func checkRing(t *rapid.T, r *ring[int], model []int) {
	if got := slices.Collect(r.items()); !slices.Equal(got, model) {
		t.Fatalf("the ring has %v, want %v", got, model)
	}
	if r.len() != len(model) {
		t.Fatalf("len is %d, want %d", r.len(), len(model))
	}
	if size := len(r.slots); size&(size-1) != 0 || size > minRing && r.count < size/8 {
		t.Fatalf("%d items in %d slots", r.count, size)
	}
	held := 0
	for _, item := range r.slots {
		if item != 0 {
			held++
		}
	}
	if held != r.count {
		t.Fatalf("holds on to %d items of %d", held, r.count)
	}
}
