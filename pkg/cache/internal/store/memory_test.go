package store

import (
	"runtime"
	"strconv"
	"testing"
	"weak"
)

const (
	burst = 100_000
	bound = 256 << 10 // bytes; what the burst takes is about a hundred times as much
)

// heap returns the bytes that are in use.
func heap() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers and pools held
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

func change(s *things, n int, object func(i int) *thing) {
	for from := 0; from < n; from += 1000 {
		tx := s.Begin()
		for i := from; i < from+1000; i++ {
			obj := object(i)
			_, place := tx.Find(obj.name)
			tx.Put(place, obj)
		}
		tx.Commit()
	}
}

func empty(s *things) {
	for s.Snapshot().Len() > 0 {
		tx := s.Begin()
		for range min(1000, tx.Len()) {
			tx.Delete(tx.PlaceOf(tx.Len() / 2))
		}
		tx.Commit()
	}
}

func wantLetGo(t *testing.T, before, full int) {
	t.Helper()
	after := heap()
	t.Logf("%d KiB in use, %d KiB full, %d KiB after", before>>10, full>>10, after>>10)
	if full-before < 20*bound {
		t.Errorf("the burst took only %d bytes", full-before)
	}
	if after-before > bound {
		t.Errorf("%d bytes are still held", after-before)
	}
}

// A store from which all objects have gone again holds little more than one that never had any.
func TestMemoryOfObjectsIsLetGo(t *testing.T) {
	s := New(thingName, nameText)
	indexes := []*Index[name, *thing, int]{addValues(s), addValues(s)}
	before := heap()
	change(s, burst, func(i int) *thing {
		return &thing{name: name{"space", strconv.Itoa(i)}, values: []int{i, i % 10}, fail: i%3 == 0}
	})
	full := heap()
	empty(s)
	wantLetGo(t, before, full)
	runtime.KeepAlive(s)
	runtime.KeepAlive(indexes)
}

// The same for values that no object has any more, and for a value that nearly all had.
func TestMemoryOfValuesIsLetGo(t *testing.T) {
	s := New(thingName, nameText)
	index := AddIndex(s, IndexConfig[name, *thing, string]{
		Values: func(t *thing) ([]string, error) { return letterings(t), nil },
		Text:   func(v string) string { return v },
	})
	without := func(i int) *thing { return &thing{name: name{"space", strconv.Itoa(i)}} }
	change(s, burst, without)
	before := heap()
	change(s, burst, func(i int) *thing {
		return &thing{name: name{"space", strconv.Itoa(i)}, values: []int{i, -1}}
	})
	full := heap()
	change(s, burst, without)
	refs := 24 * len(index.others) // stays: each object has room for further values from the first that any has
	wantLetGo(t, before+refs, full)
	runtime.KeepAlive(s)
}

func letterings(t *thing) []string {
	var values []string
	for _, v := range t.values {
		values = append(values, strconv.Itoa(v))
	}
	return values
}

// A store that has settled holds no object that was replaced, though nobody has read it.
func TestSettleLetsGo(t *testing.T) {
	s := New(thingName, nameText)
	put := func() weak.Pointer[thing] {
		obj := &thing{name: name{"", "a"}}
		tx := s.Begin()
		_, at := tx.Find(obj.name)
		tx.Put(at, obj)
		tx.Commit()
		return weak.Make(obj)
	}
	gone := put()
	put()
	s.Settle()
	for range 10 {
		runtime.GC()
		if gone.Value() == nil {
			return
		}
	}
	t.Error("the object that was replaced is still there")
}
