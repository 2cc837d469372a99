package store

import (
	"fmt"
	"testing"
)

// A table that grows or shrinks is filled by and by; meanwhile, and after, every key is found, in no time that grows with
// the number of objects.
func TestLatestChangesItsSizeByAndBy(t *testing.T) {
	s := New(thingName, nameText)
	key := func(n int) name { return name{"", fmt.Sprint("n", n)} }
	put := func(n int) {
		tx := s.Begin()
		_, at := tx.Find(key(n))
		tx.Put(at, &thing{name: key(n)})
		tx.Commit()
	}
	remove := func(n int) {
		tx := s.Begin()
		_, at := tx.Find(key(n))
		tx.Delete(at)
		tx.Commit()
	}
	changing := 0
	check := func(from, to int) {
		if s.latest.Load().before.Load() != nil {
			changing++
		}
		for n := from; n < to; n++ {
			if obj, ok := s.Get(key(n)); !ok || obj.name != key(n) {
				t.Fatalf("of %d to %d, %d is not found", from, to, n)
			}
		}
	}
	const size = 3000
	for n := range size {
		put(n)
		if n%10 == 0 {
			check(0, n+1)
		}
	}
	if l := s.latest.Load(); l.before.Load() != nil || !l.fits(size, s.width) {
		t.Errorf("%d places for %d objects; filled: %v", len(l.places), size, l.before.Load() == nil)
	}
	for n := range size - 1 {
		remove(n)
		if n%10 == 0 {
			check(n+1, size)
		}
	}
	if places := len(s.latest.Load().places); changing == 0 || places > 1024 {
		t.Errorf("%d places for an object; changing was seen %d times", places, changing)
	}
}
