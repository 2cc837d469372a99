package store

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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
	const size = 4000
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

// Keys are told apart whatever their lengths, and wherever one string ends and the other begins.
func TestGetOfKeysOfAllLengths(t *testing.T) {
	s := New(thingName, nameText)
	var all []*thing
	for length := range 300 {
		long := strings.Repeat("x", 1+length)
		for _, key := range []name{{long, ""}, {"", long + "y"}, {long, "y"}, {long + "yz", "y"}, {"yz", long + "z"}} {
			all = append(all, &thing{name: key})
		}
	}
	for range 2 { // first they come, then they change
		for i, obj := range all {
			all[i] = &thing{name: obj.name}
			put(s, all[i])
			wantGot(t, s, obj.name, all[i])
		}
	}
	for i, obj := range all {
		wantGot(t, s, obj.name, obj)
		if i%2 == 0 {
			remove(s, obj.name)
			wantGot(t, s, obj.name, nil)
		}
	}
	for i, obj := range all {
		if i%2 == 0 {
			put(s, obj)
		}
		wantGot(t, s, obj.name, obj)
	}
}

func wantGot(t *testing.T, s *things, key name, want *thing) {
	t.Helper()
	if got, found := s.Get(key); got != want || found != (want != nil) {
		t.Fatalf("%v is %v, %v, want %v", key, got, found, want)
	}
}

// A length that is the mark of long keys is none that is there.
func TestGetOfKeysAsLongAsTheMark(t *testing.T) {
	s := New(thingName, nameText)
	for i := range near {
		obj := &thing{name: name{fmt.Sprintf("%0255d", i), ""}}
		for range 3 {
			put(s, obj)
		}
		wantGot(t, s, obj.name, obj)
	}
	if used := s.latest.Load().used; used != near {
		t.Errorf("%d numbers for %d keys", used, near)
	}
}

// Keys that come together at one place have room nearby, or are found the long way.
func TestGetOfKeysThatComeTogether(t *testing.T) {
	s := New(thingName, nameText)
	var all []*thing
	for i := 0; len(all) < near+5; i++ {
		key := name{"", strconv.Itoa(i)}
		if s.hash(s.text(key))>>25 == 0 { // of a table of 64 or 128 places the first
			all = append(all, &thing{name: key})
		}
	}
	put(s, all...)
	for i, obj := range all {
		wantGot(t, s, obj.name, obj)
		all[i] = &thing{name: obj.name}
		put(s, all[i])
		wantGot(t, s, obj.name, all[i])
	}
	for _, obj := range all {
		remove(s, obj.name)
		wantGot(t, s, obj.name, nil)
	}
}

// Where keys come and go, as names of pods do, the table stays as large as what is there needs.
func TestLatestForgetsKeysThatHaveGone(t *testing.T) {
	s := New(thingName, nameText)
	const there = 100
	for i := range 20_000 {
		obj := &thing{name: name{"", strconv.Itoa(i)}}
		put(s, obj)
		wantGot(t, s, obj.name, obj)
		if i >= there {
			remove(s, name{"", strconv.Itoa(i - there)})
			wantGot(t, s, name{"", strconv.Itoa(i - there)}, nil)
		}
	}
	if places := len(s.latest.Load().places); places > 4*there {
		t.Errorf("%d places for %d objects", places, there)
	}
}

// A stamp is that of the object, where the object goes and however large the table is.
func TestStampsGoWithObjects(t *testing.T) {
	s := New(thingName, nameText)
	key := func(n int) name { return name{"", strconv.Itoa(n)} }
	for n := range uint64(2000) {
		tx := s.Begin()
		_, at := tx.Find(key(int(n)))
		tx.PutStamped(at, &thing{name: key(int(n))}, Stamp{n, n + 1, n + 2})
		tx.Commit()
	}
	for n := 0; n < 2000; n += 3 {
		remove(s, key(n))
		put(s, &thing{name: key(n + 1)})
	}
	tx := s.Begin()
	defer tx.Commit()
	known := 0
	for n := range 2000 {
		_, at := tx.Find(key(n))
		switch stamp, want := at.Stamp(), (Stamp{uint64(n), uint64(n + 1), uint64(n + 2)}); {
		case stamp == Stamp{}:
		case n%3 == 2 && stamp == want:
			known++
		default:
			t.Errorf("the stamp of %d is %v", n, stamp)
		}
		if at.Exists() != (n%3 != 0) || at.Exists() && tx.At(at.Slot()).name != key(n) {
			t.Errorf("%d is in slot %d", n, at.Slot())
		}
	}
	if known < 600 {
		t.Errorf("only %d stamps are known", known)
	}
}

// Objects may be of any type that can be compared.
func TestObjectsThatAreNoPointers(t *testing.T) {
	type value struct{ space, name, content string }
	s := New(func(v value) name { return name{v.space, v.name} }, nameText)
	for _, content := range []string{"a", "b"} {
		want := value{"space", "name", content}
		tx := s.Begin()
		_, at := tx.Find(name{"space", "name"})
		tx.Put(at, want)
		tx.Commit()
		if got, found := s.Get(name{"space", "name"}); !found || got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// Each transaction brings all objects to its generation, or takes some away, while the table grows and shrinks. A reader
// gets what is not older than the snapshot before, and not newer than the one after.
func TestGetSeesTransactionsThatAreThere(t *testing.T) {
	s := New(thingName, nameText)
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := getBetween(s, numbered(i%200)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for generation := range 300 {
		writeGeneration(s, generation)
	}
	stop()
	readers.Wait()
}

func writeGeneration(s *things, generation int) {
	tx := s.Begin()
	defer tx.Commit()
	tx.SetVersion(strconv.Itoa(generation))
	for i := range 200 {
		_, at := tx.Find(numbered(i))
		switch {
		case generation%20 < 10 || i%20 == 0:
			tx.Put(at, &thing{name: numbered(i), values: []int{generation}})
		case at.Exists():
			tx.Delete(at)
		}
		if i%50 == 0 {
			runtime.Gosched() // half done
		}
	}
}

func getBetween(s *things, key name) error {
	before := s.Snapshot()
	obj, found := s.Get(key)
	after := s.Snapshot()
	if before == after {
		if want, exists := before.Get(key); obj != want || found != exists {
			return fmt.Errorf("got %v, %v, want %v", obj, found, want)
		}
	}
	first, _ := strconv.Atoi(before.Version())
	last, _ := strconv.Atoi(after.Version())
	if found && (obj.name != key || obj.values[0] < first || obj.values[0] > last) {
		return fmt.Errorf("%v is %v, between generations %d and %d", key, obj, first, last)
	}
	return nil
}

// What a transaction that is under way has put is nobody's yet, however close a reader is behind the writer.
func TestGetSeesNoTransactionThatIsUnderWay(t *testing.T) {
	const rounds = 100000
	s, key := New(thingName, nameText), name{"a", "b"}
	put(s, &thing{name: key, values: []int{0}})
	var committed atomic.Int64 // or just about to be
	var readers sync.WaitGroup
	defer readers.Wait()
	for range 2 {
		readers.Go(func() {
			for {
				obj, _ := s.Get(key)
				last := int(committed.Load())
				if obj.values[0] > last {
					t.Errorf("got %d, the last that was committed is %d", obj.values[0], last)
					return
				}
				if last == rounds {
					return
				}
			}
		})
	}
	for round := range rounds {
		tx := s.Begin()
		_, place := tx.Find(key)
		tx.Put(place, &thing{name: key, values: []int{round + 1}})
		committed.Store(int64(round + 1))
		tx.Commit()
	}
}
