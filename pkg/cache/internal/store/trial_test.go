package store

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

type name struct{ space, name string }

// A thing is an object whose index values are listed in it. It does not change.
type thing struct {
	name   name
	values []int
	fail   bool // the index functions return an error, with values
	panics bool
}

func thingName(t *thing) name { return t.name }

func nameText(n name) (space, text string) { return n.space, n.name }

type things = Store[name, *thing]

// A trial is a store beside a map, with indexes beside a look at every object.
type trial struct {
	store   *things
	model   map[name]*thing
	version string
	indexes []anyIndex
	kept    []func() error
	made    int
}

// anyIndex is an index under test, whatever the type of its values.
type anyIndex interface {
	// check compares the index in a snapshot with the model.
	check(s *Snapshot[name, *thing], model map[name]*thing) error
	// wellFormed checks what only the writer sees, between two transactions.
	wellFormed(model map[name]*thing) error
}

func newTrial() *trial {
	tr := &trial{store: New(thingName, nameText), model: make(map[name]*thing)}
	tr.keep()
	return tr
}

// A program is a string of bytes, each of which decides something. When it has ended, each decision is the first choice.
type program struct{ left []byte }

func (p *program) below(n int) int {
	if len(p.left) == 0 {
		return 0
	}
	first := int(p.left[0])
	p.left = p.left[1:]
	return first % n
}

func (p *program) oneOf(choices ...int) int { return choices[p.below(len(choices))] }

// run runs a program, in transactions of a few changes. At the end each snapshot must be as it was when it was taken, also
// in the indexes that came later.
func run(t rapid.TB, bytes []byte) {
	t.Helper()
	tr, p := newTrial(), &program{bytes}
	for len(p.left) > 0 {
		if len(tr.indexes) < len(kinds()) && p.below(4) == 0 {
			tr.indexes = append(tr.indexes, kinds()[len(tr.indexes)](tr.store))
		}
		tx := tr.store.Begin()
		for range p.below(5) {
			tr.change(p, tx)
		}
		tx.Commit()
		if err := tr.check(); err != nil {
			t.Fatal(err)
		}
		tr.keep()
	}
	for i, check := range tr.kept {
		if err := check(); err != nil {
			t.Fatalf("snapshot %d of %d has changed: %v", i, len(tr.kept)-1, err)
		}
	}
}

func (tr *trial) change(p *program, tx *Transaction[name, *thing]) {
	switch p.below(7) {
	case 0, 1:
		tr.put(tx, numbered(p.below(256)), p)
	case 2:
		for i := range p.oneOf(10, 70, 200) {
			tr.put(tx, numbered(i), p)
		}
	case 3:
		tr.delete(tx, numbered(p.below(256)))
	case 4:
		for range p.oneOf(10, 70, 1000) {
			tr.deleteSlot(tx, p.below(256))
		}
	case 5:
		tr.deleteSlot(tx, p.below(256))
	case 6:
		tr.version = strconv.Itoa(tr.made)
		tx.SetVersion(tr.version)
	}
}

// numbered returns keys of all lengths.
func numbered(i int) name {
	return name{strconv.Itoa(i % 3), strings.Repeat("-", i%5*(i/4)) + strconv.Itoa(i)}
}

// put puts an object that fails now and then, and has few values, among them ever the same.
func (tr *trial) put(tx *Transaction[name, *thing], key name, p *program) {
	tr.made++
	obj := &thing{name: key}
	switch p.below(10) {
	case 0:
		obj.fail = true
	case 1:
		obj.panics = true
	}
	for range p.below(4) {
		obj.values = append(obj.values, p.below(9))
	}
	_, place := tx.Find(key)
	tx.Put(place, obj)
	tr.model[key] = obj
}

func (tr *trial) delete(tx *Transaction[name, *thing], key name) {
	if _, place := tx.Find(key); place.Exists() {
		tx.Delete(place)
		delete(tr.model, key)
	}
}

func (tr *trial) deleteSlot(tx *Transaction[name, *thing], slot int) {
	if tx.Len() > 0 {
		slot %= tx.Len()
		delete(tr.model, tx.At(slot).name)
		tx.Delete(tx.PlaceOf(slot))
	}
}

func (tr *trial) check() error {
	s := tr.store.Snapshot()
	err := errors.Join(sameObjects(s, tr.model, tr.version), wellFormedKeys(s), tr.checkGet())
	for _, index := range tr.indexes {
		err = errors.Join(err, index.check(s, tr.model), index.wellFormed(tr.model))
	}
	return err
}

func (tr *trial) checkGet() error {
	for i := range 256 {
		want := tr.model[numbered(i)]
		if got, found := tr.store.Get(numbered(i)); got != want || found != (want != nil) {
			return fmt.Errorf("got %v, %v, want %v", got, found, want)
		}
	}
	return nil
}

func (tr *trial) keep() {
	s, model, version := tr.store.Snapshot(), maps.Clone(tr.model), tr.version
	tr.kept = append(tr.kept, func() error {
		err := sameObjects(s, model, version)
		for _, index := range tr.indexes {
			err = errors.Join(err, index.check(s, model))
		}
		return err
	})
}

func sameObjects(s *Snapshot[name, *thing], model map[name]*thing, version string) error {
	if s.Len() != len(model) || s.Version() != version {
		return fmt.Errorf("%d objects at version %q, want %d at %q", s.Len(), s.Version(), len(model), version)
	}
	for key, want := range model {
		if got, found := s.Get(key); got != want || !found {
			return fmt.Errorf("%v is %v, %v, want %v", key, got, found, want)
		}
	}
	for i := range 256 {
		if _, found := s.Get(numbered(i)); found != (model[numbered(i)] != nil) {
			return fmt.Errorf("found %v: %v", numbered(i), found)
		}
	}
	want := slices.Collect(maps.Values(model))
	if err := sameSet(slices.Collect(s.All()), want); err != nil {
		return fmt.Errorf("all objects: %w", err)
	}
	var chunks []*thing
	for chunk := range s.Chunks() {
		chunks = append(chunks, chunk...)
	}
	if err := sameSet(chunks, want); err != nil {
		return fmt.Errorf("chunks: %w", err)
	}
	return nil
}

// sameSet compares two lists in any order. An element that comes twice is not the same as one that comes once.
func sameSet[E comparable](got, want []E) error {
	counts := make(map[E]int)
	for _, e := range want {
		counts[e]++
	}
	for _, e := range got {
		counts[e]--
		if counts[e] < 0 {
			return fmt.Errorf("has %v too often", e)
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("has %d, want %d", len(got), len(want))
	}
	return nil
}

func wellFormedKeys(s *Snapshot[name, *thing]) error {
	if s.base.keys.Len() != s.Len() {
		return fmt.Errorf("%d keys of %d objects", s.base.keys.Len(), s.Len())
	}
	for obj := range s.All() {
		_, slot, _ := s.find(s.store.hash(s.store.text(obj.name)), obj.name)
		if s.content().objects.At(int(slot)) != obj {
			return fmt.Errorf("%v is not in slot %d", obj, slot)
		}
	}
	return nil
}

func TestStoreAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { run(t, rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "program")) })
}

// Rapid's programs are mostly short and of small bytes: these are neither.
func TestLongProgramsAgainstModel(t *testing.T) {
	for seed := range uint64(20) {
		run(t, randomBytes(seed, 3000))
	}
}

func FuzzStore(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint64(4) {
		f.Add(randomBytes(seed, 200))
	}
	f.Fuzz(func(t *testing.T, program []byte) { run(t, program[:min(len(program), 500)]) })
}

func randomBytes(seed uint64, n int) []byte {
	random := rand.New(rand.NewPCG(seed, 0))
	bytes := make([]byte, n)
	for i := range bytes {
		bytes[i] = byte(random.UintN(256))
	}
	return bytes
}
