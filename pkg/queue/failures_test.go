package queue

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A recentModel is the naive map that forgets: all keys and their values, the last put at the end.
type recentModel struct {
	keys   []int
	values map[int]int
}

func (m *recentModel) put(key, value int) {
	m.remove(key)
	m.keys, m.values[key] = append(m.keys, key), value
}

func (m *recentModel) remove(key int) {
	m.keys = slices.DeleteFunc(m.keys, func(k int) bool { return k == key })
	delete(m.values, key)
}

// forget drops what the other one does not hold, which must be older than the half of maxKeys.
func (m *recentModel) forget(t *rapid.T, r *recent[int, int], maxKeys int) {
	keys := slices.Clone(m.keys)
	for i, key := range keys {
		if r.get(key) != 0 {
			continue
		}
		if age := len(keys) - i; age <= maxKeys/2 {
			t.Fatalf("key %d is forgotten, though only %d were put since", key, age-1)
		}
		m.remove(key)
	}
}

func TestRecentIsItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		maxKeys := rapid.IntRange(1, 9).Draw(t, "maxKeys")
		key := rapid.IntRange(0, 12)
		r := newRecent[int, int](maxKeys)
		model := &recentModel{values: make(map[int]int)}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				key, value := key.Draw(t, "key"), rapid.IntRange(1, 1000).Draw(t, "value")
				r.put(key, value)
				model.put(key, value)
				if got := r.get(key); got != value {
					t.Fatalf("key %d is %d right after it was put, want %d", key, got, value)
				}
			},
			"remove": func(t *rapid.T) {
				key := key.Draw(t, "key")
				r.remove(key)
				model.remove(key)
			},
			"": func(t *rapid.T) {
				model.forget(t, &r, maxKeys)
				for key := range 13 {
					if got, want := r.get(key), model.values[key]; got != want {
						t.Fatalf("key %d is %d, want %d", key, got, want)
					}
				}
				if got := len(r.young) + len(r.old); got != len(model.keys) || got > max(maxKeys, 2) {
					t.Fatalf("%d keys are held, want %d and at most %d", got, len(model.keys), maxKeys)
				}
			},
		})
	})
}
