package store

import (
	"fmt"
	"strconv"
	"testing"
)

const benchSize = 100_000

// benchObject is of a size as real ones are: keys of equal objects lie far from each other.
type benchObject struct {
	name  name
	node  string // a thousand of them, a hundred objects each
	space string
}

func benchName(t *benchObject) name { return t.name }

func newBench() (*Store[name, *benchObject], []*benchObject, *Index[name, *benchObject, string]) {
	s := New(benchName, nameText)
	nodes := AddIndex(s, IndexConfig[name, *benchObject, string]{
		Values: func(t *benchObject) ([]string, error) { return []string{t.node}, nil },
	})
	AddIndex(s, IndexConfig[name, *benchObject, string]{
		Values: func(t *benchObject) ([]string, error) { return []string{t.space}, nil },
	})
	objects := make([]*benchObject, benchSize)
	for i := range objects {
		objects[i] = newBenchObject(i)
		benchPut(s, objects[i])
	}
	return s, objects, nodes
}

func newBenchObject(i int) *benchObject {
	space := fmt.Sprintf("namespace-%d", i%100)
	return &benchObject{name{space, fmt.Sprintf("deployment-%08x-%05d", i*2654435761, i)}, strconv.Itoa(i / 100), space}
}

func benchPut(s *Store[name, *benchObject], obj *benchObject) {
	tx := s.Begin()
	_, place := tx.Find(obj.name)
	tx.Put(place, obj)
	tx.Commit()
}

// scattered returns a number below benchSize, each once in a round.
func scattered(i int) int { return i * 7919 % benchSize }

func BenchmarkGet(b *testing.B) {
	s, objects, _ := newBench()
	b.Run("store", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			want := objects[scattered(i)]
			if got, _ := s.Snapshot().Get(want.name); got != want {
				b.Fatal(got)
			}
		}
	})
	m := make(map[name]*benchObject)
	for _, obj := range objects {
		m[obj.name] = obj
	}
	b.Run("map", func(b *testing.B) { // the floor
		for i := 0; b.Loop(); i++ {
			want := objects[scattered(i)]
			if got := m[want.name]; got != want {
				b.Fatal(got)
			}
		}
	})
}

// One object to a transaction.
func BenchmarkPut(b *testing.B) {
	s, objects, _ := newBench()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		benchPut(s, objects[scattered(i)])
	}
}

// A thousand objects to a transaction.
func BenchmarkPutMany(b *testing.B) {
	s, objects, _ := newBench()
	b.ReportAllocs()
	tx := s.Begin()
	for i := 0; b.Loop(); i++ {
		if i%1000 == 0 {
			tx.Commit()
			tx = s.Begin()
		}
		obj := objects[scattered(i)]
		_, place := tx.Find(obj.name)
		tx.Put(place, obj)
	}
	tx.Commit()
}

// A thousand objects to a transaction, each of which gets another value.
func BenchmarkMoveMany(b *testing.B) {
	s, objects, _ := newBench()
	b.ReportAllocs()
	tx := s.Begin()
	for i := 0; b.Loop(); i++ {
		if i%1000 == 0 {
			tx.Commit()
			tx = s.Begin()
		}
		obj := *objects[scattered(i)]
		obj.node = objects[scattered(i*31)].node
		_, place := tx.Find(obj.name)
		tx.Put(place, &obj)
	}
	tx.Commit()
}

// A new object comes and one of the others goes, each in a transaction.
func BenchmarkInsertDelete(b *testing.B) {
	s, objects, _ := newBench()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		obj := objects[scattered(i)]
		tx := s.Begin()
		_, place := tx.Find(obj.name)
		tx.Delete(place)
		tx.Commit()
		benchPut(s, obj)
	}
}

// The index is asked for one of its thousand values: a hundred objects.
func BenchmarkLookup(b *testing.B) {
	s, objects, nodes := newBench()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		n := 0
		for range nodes.In(s.Snapshot()).Lookup(objects[scattered(i)].node) {
			n++
		}
		if n != 100 {
			b.Fatal(n)
		}
	}
}

// An object changes, then its value is looked up.
func BenchmarkLookupAfterPut(b *testing.B) {
	s, objects, nodes := newBench()
	for _, lookups := range []int{1, 2, 10} {
		b.Run("lookups="+strconv.Itoa(lookups), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				obj := objects[scattered(i)]
				benchPut(s, obj)
				for range lookups {
					for got := range nodes.In(s.Snapshot()).Lookup(obj.node) {
						if got == nil {
							b.Fatal(got)
						}
					}
				}
			}
		})
	}
}

func BenchmarkAll(b *testing.B) {
	s, _, _ := newBench()
	b.Run("objects", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for obj := range s.Snapshot().All() {
				n += len(obj.node)
			}
		}
	})
	b.Run("chunks", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for chunk := range s.Snapshot().Chunks() {
				for _, obj := range chunk {
					n += len(obj.node)
				}
			}
		}
	})
}
