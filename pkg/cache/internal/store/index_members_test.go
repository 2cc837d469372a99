package store

import (
	"runtime"
	"slices"
	"testing"
	"weak"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/persistent"
)

// lookUp looks for the objects with value 1.
func lookUp(index *Index[name, *thing, int], s *Snapshot[name, *thing]) []*thing {
	return slices.Collect(index.In(s).Lookup(1))
}

func isGathered(index *Index[name, *thing, int], s *Snapshot[name, *thing]) bool {
	return index.In(s).find(1).value.members.gathered.Load() != nil
}

// The second look-up since a change gathers the objects; one is not worth it.
func TestSecondLookupGathers(t *testing.T) {
	s := New(thingName, nameText)
	index := addValues(s)
	for range 3 {
		put(s, &thing{name: name{"", "a"}, values: []int{1}}, &thing{name: name{"", "b"}, values: []int{1, 2}})
		for n, want := range []bool{false, true, true} {
			latest := s.Snapshot()
			if got := lookUp(index, latest); len(got) != 2 {
				t.Fatalf("look-up %d finds %d objects", n+1, len(got))
			}
			if got := isGathered(index, latest); got != want {
				t.Errorf("after look-up %d gathered is %v", n+1, got)
			}
		}
	}
}

// Whatever becomes of an object with the value, the next snapshot has it and the one before has not.
func TestGatheredObjectsChange(t *testing.T) {
	a, b, c := name{"", "a"}, name{"", "b"}, name{"", "c"}
	with := func(key name, values ...int) *thing { return &thing{name: key, values: values} }
	for what, change := range map[string]func(*things){
		"replaced, first value":     func(s *things) { put(s, with(a, 1)) },
		"replaced, second value":    func(s *things) { put(s, with(b, 2, 1)) },
		"gets the value":            func(s *things) { put(s, with(c, 1)) },
		"loses the value":           func(s *things) { put(s, with(a)) },
		"is new":                    func(s *things) { put(s, with(name{"", "d"}, 1)) },
		"fails":                     func(s *things) { put(s, &thing{name: b, values: []int{2, 1}, fail: true}) },
		"goes":                      func(s *things) { remove(s, a) },
		"goes and comes back":       func(s *things) { remove(s, a); put(s, with(a, 1)) },
		"the value goes and comes":  func(s *things) { remove(s, a, b); put(s, with(a, 1)) },
		"takes the slot of another": func(s *things) { remove(s, c); put(s, with(b, 2, 1)) },
	} {
		t.Run(what, func(t *testing.T) {
			s := New(thingName, nameText)
			index := addValues(s)
			put(s, with(c), with(a, 1), with(b, 2, 1))
			before := s.Snapshot()
			want := lookUp(index, before)
			lookUp(index, before)
			change(s)
			after := s.Snapshot()
			for range 3 {
				if got := lookUp(index, before); sameSet(got, want) != nil {
					t.Errorf("the snapshot before has %v, had %v", got, want)
				}
				if got := lookUp(index, after); sameSet(got, withValue(after, 1)) != nil {
					t.Errorf("the snapshot after has %v, want %v", got, withValue(after, 1))
				}
			}
		})
	}
}

// withValue looks at every object.
func withValue(s *Snapshot[name, *thing], value int) []*thing {
	var objects []*thing
	for obj := range s.All() {
		if !obj.fail && slices.Contains(obj.values, value) {
			objects = append(objects, obj)
		}
	}
	return objects
}

// An index by key does not look at an object that takes the place of another, but finds it.
func TestGatheredObjectsOfKeyChange(t *testing.T) {
	s := New(thingName, nameText)
	index := AddIndex(s, IndexConfig[name, *thing, string]{
		Values: func(t *thing) ([]string, error) { return []string{t.name.space}, nil },
		OfKey:  true,
	})
	for range 3 {
		want := &thing{name: name{"space", "a"}}
		put(s, want)
		for range 3 {
			if got := slices.Collect(index.Lookup("space")); !slices.Equal(got, []*thing{want}) {
				t.Errorf("has %v, want %v", got, want)
			}
		}
	}
}

// A reader of an older snapshot that gathers while the writer changes the objects keeps nothing: no one would let it go.
func TestOutdatedGatheringIsNotKept(t *testing.T) {
	s := New(thingName, nameText)
	index := addValues(s)
	put(s, &thing{name: name{"", "a"}, values: []int{1}})
	view := index.In(s.Snapshot())
	put(s, &thing{name: name{"", "a"}, values: []int{1}})
	view.gather(view.find(1))
	if isGathered(index, s.Snapshot()) {
		t.Error("what was gathered in an older snapshot was kept")
	}
}

// Between keeping what is outdated and letting it go again, nobody takes it.
func TestOutdatedGatheringIsNotTaken(t *testing.T) {
	var m members[int]
	m.change(2)
	m.gathered.Store(&gathering[int]{number: 1, objects: []int{1}})
	for _, number := range []persistent.Owner{1, 2, 3} {
		if objects, _ := m.in(number); objects != nil {
			t.Errorf("snapshot %d has %v of snapshot 1", number, objects)
		}
	}
	m.keep(2, []int{2})
	if objects, _ := m.in(3); !slices.Equal(objects, []int{2}) {
		t.Errorf("snapshot 3 has %v, though nothing changed since snapshot 2", objects)
	}
}

// Too many objects are not gathered.
func TestManyObjectsAreNotGathered(t *testing.T) {
	s := New(thingName, nameText)
	index := addValues(s)
	for i := range mostGathered + 1 {
		put(s, &thing{name: numbered(i), values: []int{1}})
	}
	for range 3 {
		if n := len(lookUp(index, s.Snapshot())); n != mostGathered+1 || isGathered(index, s.Snapshot()) {
			t.Fatalf("found %d objects, gathered: %v", n, isGathered(index, s.Snapshot()))
		}
	}
	remove(s, numbered(0))
	lookUp(index, s.Snapshot())
	lookUp(index, s.Snapshot())
	if !isGathered(index, s.Snapshot()) {
		t.Errorf("%d objects are not gathered", mostGathered)
	}
}

// A look-up holds no object that was replaced.
func TestGatheredObjectsAreLetGo(t *testing.T) {
	s := New(thingName, nameText)
	index := addValues(s)
	put1 := func() weak.Pointer[thing] {
		obj := &thing{name: name{"", "a"}, values: []int{1}}
		put(s, obj)
		return weak.Make(obj)
	}
	gone := put1()
	for range 3 {
		lookUp(index, s.Snapshot())
	}
	put1()
	s.Settle()
	for range 10 {
		runtime.GC()
		if gone.Value() == nil {
			return
		}
	}
	t.Error("the object that was replaced is still there")
	runtime.KeepAlive(index)
}
