package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
)

// Objects come, change and go in pairs, two to a transaction at least, so every snapshot has both or none of each pair, and
// both of one generation. Readers look at the latest snapshot and at one that they have held for long.
func TestReadersSeeWholeTransactions(t *testing.T) {
	p := newPairs()
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for seed := range uint64(2) {
		readers.Go(func() {
			if err := p.readUntil(ctx.Done(), rand.New(rand.NewPCG(seed, 1))); err != nil {
				t.Error(err)
			}
		})
	}
	p.write(rand.New(rand.NewPCG(3, 3)))
	stop()
	readers.Wait()
}

type pairs struct {
	store       *things
	generations *Index[name, *thing, int]
	spaces      *Index[name, *thing, string]
	ready       chan struct{}                // closed when late is there
	late        *Index[name, *thing, string] // is added half way
}

func newPairs() *pairs {
	p := &pairs{store: New(thingName, nameText), ready: make(chan struct{})}
	p.generations = AddIndex(p.store, IndexConfig[name, *thing, int]{
		Values: func(t *thing) ([]int, error) { return t.values, nil },
	})
	p.spaces = p.addSpaces()
	return p
}

func (p *pairs) addSpaces() *Index[name, *thing, string] {
	return AddIndex(p.store, IndexConfig[name, *thing, string]{
		Values: func(t *thing) ([]string, error) { return []string{t.name.space, "all"}, nil },
		Text:   func(s string) string { return s },
	})
}

func (p *pairs) write(random *rand.Rand) {
	for generation := range 400 {
		tx := p.store.Begin()
		for range 1 + random.IntN(20) {
			pair := strconv.Itoa(random.IntN(200))
			for _, space := range []string{"left", "right"} {
				p.change(tx, name{space, pair}, generation)
			}
		}
		tx.SetVersion(strconv.Itoa(tx.Len()))
		tx.Commit()
		if generation == 200 {
			p.late = p.addSpaces()
			close(p.ready)
		}
	}
}

// change puts the object with a new generation, or deletes it in every fourth one.
func (p *pairs) change(tx *Transaction[name, *thing], key name, generation int) {
	_, place := tx.Find(key)
	switch {
	case generation%4 != 0:
		tx.Put(place, &thing{name: key, values: []int{generation}})
	case place.Exists():
		tx.Delete(place)
	}
}

func (p *pairs) readUntil(done <-chan struct{}, random *rand.Rand) error {
	held := p.store.Snapshot()
	for {
		latest := p.store.Snapshot()
		if random.IntN(20) == 0 {
			held = latest
		}
		for _, s := range []*Snapshot[name, *thing]{latest, held} {
			if err := p.check(s); err != nil {
				return err
			}
		}
		select {
		case <-done:
			return nil
		default:
		}
	}
}

func (p *pairs) check(s *Snapshot[name, *thing]) error {
	if s.Version() != strconv.Itoa(s.Len()) && s.Len() > 0 {
		return fmt.Errorf("%d objects at version %q", s.Len(), s.Version())
	}
	seen := make(map[int]int)
	for obj := range s.All() {
		other := name{map[string]string{"left": "right", "right": "left"}[obj.name.space], obj.name.name}
		if twin, found := s.Get(other); !found || twin.values[0] != obj.values[0] {
			return fmt.Errorf("%v has no twin %v: %v", obj, other, twin)
		}
		seen[obj.values[0]]++
	}
	for generation := range p.generations.In(s).Values() {
		if n := p.generations.In(s).Count(generation); n != seen[generation] {
			return fmt.Errorf("%d objects of generation %d in the index, want %d", n, generation, seen[generation])
		}
		delete(seen, generation)
	}
	if len(seen) > 0 {
		return fmt.Errorf("generations %v are not in the index", seen)
	}
	return p.checkSpaces(s)
}

func (p *pairs) checkSpaces(s *Snapshot[name, *thing]) error {
	indexes := []*Index[name, *thing, string]{p.spaces}
	select {
	case <-p.ready:
		indexes = append(indexes, p.late)
	default:
	}
	for _, index := range indexes {
		counts := make(map[string]int)
		for space, obj := range index.In(s).Prefix("") {
			if got, _ := s.Get(obj.name); got != obj || obj.name.space != space && space != "all" {
				return fmt.Errorf("%v is in %q, and the snapshot has %v", obj, space, got)
			}
			counts[space]++
		}
		if n := s.Len(); counts["left"] != n/2 || counts["right"] != n/2 || counts["all"] != n {
			return fmt.Errorf("%v of %d objects", counts, n)
		}
	}
	return nil
}
