package store

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"
)

func put(s *things, objects ...*thing) {
	tx := s.Begin()
	defer tx.Commit()
	for _, obj := range objects {
		_, place := tx.Find(obj.name)
		tx.Put(place, obj)
	}
}

func remove(s *things, keys ...name) {
	tx := s.Begin()
	defer tx.Commit()
	for _, key := range keys {
		_, place := tx.Find(key)
		tx.Delete(place)
	}
}

// Keys with the same hash are told apart, also when one of them takes the slot of the other.
func TestKeysWhoseHashesAreEqual(t *testing.T) {
	s := New(thingName, nameText)
	a, b := colliding(t, func(i int) (name, uint32) {
		key := name{"", strconv.Itoa(i)}
		return key, s.hash(s.text(key))
	})
	first, second := &thing{name: a}, &thing{name: b}
	put(s, first, second)
	before := s.Snapshot()
	wantGet(t, before, a, first)
	wantGet(t, before, b, second)
	remove(s, a)
	wantGet(t, s.Snapshot(), a, nil)
	wantGet(t, s.Snapshot(), b, second)
	wantGet(t, before, a, first)
}

func wantGet(t *testing.T, s *Snapshot[name, *thing], key name, want *thing) {
	t.Helper()
	if got, found := s.Get(key); got != want || found != (want != nil) {
		t.Errorf("%v is %v, %v, want %v", key, got, found, want)
	}
}

// Values with the same hash are told apart.
func TestValuesWhoseHashesAreEqual(t *testing.T) {
	s := New(thingName, nameText)
	index := addValues(s)
	a, b := colliding(t, func(i int) (int, uint32) { return i, index.hash(i) })
	put(s, &thing{name: name{"", "a"}, values: []int{a}}, &thing{name: name{"", "b"}, values: []int{b, a}})
	view := index.In(s.Snapshot())
	if view.Count(a) != 2 || view.Count(b) != 1 {
		t.Errorf("%d and %d objects, want 2 and 1", view.Count(a), view.Count(b))
	}
	remove(s, name{"", "b"})
	view = index.In(s.Snapshot())
	if view.Count(a) != 1 || view.Count(b) != 0 || !slices.Equal(slices.Collect(view.Values()), []int{a}) {
		t.Errorf("%d and %d objects, want 1 and 0", view.Count(a), view.Count(b))
	}
}

func addValues(s *things) *Index[name, *thing, int] {
	return AddIndex(s, IndexConfig[name, *thing, int]{Values: func(t *thing) ([]int, error) {
		if t.fail {
			return nil, errors.New("as it was told")
		}
		return t.values, nil
	}, Report: func(name, *thing, error) {}})
}

// colliding returns two inputs with the same hash: among a million there are about a hundred such pairs.
func colliding[E any](t *testing.T, create func(i int) (E, uint32)) (a, b E) {
	t.Helper()
	seen := map[uint32]E{}
	for i := range 1_000_000 {
		element, hash := create(i)
		if other, found := seen[hash]; found {
			return other, element
		}
		seen[hash] = element
	}
	t.Fatal("no two hashes are equal")
	return a, b
}

// An update that leaves the values as they are changes no index: snapshots share it.
func TestUpdateWithTheSameValuesLeavesTheIndexAlone(t *testing.T) {
	s := New(thingName, nameText)
	addValues(s)
	key := name{"", "a"}
	put(s, &thing{name: key, values: []int{1, 2}})
	before := s.Snapshot()
	put(s, &thing{name: key, values: []int{1, 2}})
	if before.content().directories[0] != s.Snapshot().content().directories[0] {
		t.Error("the index was copied")
	}
	put(s, &thing{name: key, values: []int{2, 1}})
	if before.content().directories[0] == s.Snapshot().content().directories[0] {
		t.Error("the index of the snapshot before was changed")
	}
}

// Index functions run once for each object that is put, not on what it replaces, nor when an object goes or moves.
func TestIndexFunctionsRunOncePerPut(t *testing.T) {
	s := New(thingName, nameText)
	ran := 0
	AddIndex(s, IndexConfig[name, *thing, int]{Values: func(t *thing) ([]int, error) {
		ran++
		return t.values, nil
	}})
	a, b, c := name{"", "a"}, name{"", "b"}, name{"", "c"}
	put(s, &thing{name: a}, &thing{name: b, values: []int{1}}, &thing{name: c, values: []int{1, 2}})
	put(s, &thing{name: b, values: []int{2}})
	remove(s, a, b, c)
	if ran != 4 {
		t.Errorf("ran %d times, want 4", ran)
	}
}

// An index function that never returns takes its index with it and nothing else: the next one begins from nothing.
func TestIndexThatCouldNotBeBuilt(t *testing.T) {
	s := New(thingName, nameText)
	put(s, &thing{name: name{"", "a"}, values: []int{1}}, &thing{name: name{"", "b"}, values: []int{2}})
	func() {
		defer func() { _ = recover() }()
		AddIndex(s, IndexConfig[name, *thing, string]{
			Values: func(*thing) ([]string, error) { return nil, errors.New("as it was told") },
			Report: func(name, *thing, error) { panic("as it was told") },
		})
	}()
	before := s.Snapshot()
	index := addValues(s)
	for _, snapshot := range []*Snapshot[name, *thing]{before, s.Snapshot()} {
		if n := index.In(snapshot).Count(1); n != 1 {
			t.Errorf("%d objects, want 1", n)
		}
	}
}

// An index that reports to nobody still isolates what fails.
func TestIndexWithoutReport(t *testing.T) {
	s := New(thingName, nameText)
	index := AddIndex(s, IndexConfig[name, *thing, int]{Values: func(t *thing) ([]int, error) {
		if t.fail {
			return nil, errors.New("as it was told")
		}
		return t.values, nil
	}})
	put(s, &thing{name: name{"", "a"}, fail: true}, &thing{name: name{"", "b"}, values: []int{1}})
	if n := index.In(s.Snapshot()).Count(1); n != 1 {
		t.Errorf("%d objects, want 1", n)
	}
}

func TestIterationStops(t *testing.T) {
	s := New(thingName, nameText)
	index := AddIndex(s, IndexConfig[name, *thing, string]{
		Values: func(t *thing) ([]string, error) { return []string{"all", t.name.name}, nil },
		Text:   func(v string) string { return v },
	})
	for i := range 300 {
		put(s, &thing{name: numbered(i)})
	}
	view := index.In(s.Snapshot())
	seen := map[string]int{}
	for range s.Snapshot().All() {
		seen["all"]++
		break
	}
	for range view.Lookup("all") {
		seen["lookup"]++
		break
	}
	for range view.Values() {
		seen["values"]++
		break
	}
	for range view.Prefix("") {
		seen["prefix"]++
		break
	}
	if want := map[string]int{"all": 1, "lookup": 1, "values": 1, "prefix": 1}; !maps.Equal(seen, want) {
		t.Errorf("saw %v after stopping at the first", seen)
	}
}
