package store

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// indexTrial is an index beside what a look at every object finds.
type indexTrial[V comparable] struct {
	index    *Index[name, *thing, V]
	values   func(*thing) []V
	reported map[name]error
}

// kinds returns the indexes that a program may add, in this order.
func kinds() []func(*things) anyIndex {
	text := func(s string) string { return s }
	return []func(*things) anyIndex{
		func(s *things) anyIndex { return addTrial(s, firstLetter, text) },
		func(s *things) anyIndex { return addTrial(s, letters, text) },
		func(s *things) anyIndex { return addTrial(s, anyValues, nil) },
		func(s *things) anyIndex { return addTrial(s, numbers, nil) },
		func(s *things) anyIndex { return addTrial(s, letters, nil) },
	}
}

// firstLetter returns one value or none.
func firstLetter(t *thing) []string { return letters(t)[:min(1, len(t.values))] }

// letters returns any number of values, among them duplicates and values that are the beginning of others.
func letters(t *thing) []string {
	var values []string
	for _, v := range t.values {
		values = append(values, strings.Repeat("a", v/3)+strings.Repeat("b", v%3))
	}
	return values
}

// numbers returns NaN for some.
func numbers(t *thing) []float64 {
	var values []float64
	for _, v := range t.values {
		values = append(values, math.Sqrt(float64(v-2)))
	}
	return values
}

type boxed struct{ v any }

// anyValues returns values of several types, some of which cannot be compared.
func anyValues(t *thing) []any {
	all := []any{1, "1", nil, boxed{1}, boxed{"1"}, [1]any{1}, []int{1}, boxed{[]int{1}}, [1]any{[]int{1}}}
	var values []any
	for _, v := range t.values {
		values = append(values, all[v])
	}
	return values
}

func unhashable[V comparable](v V) (panics bool) {
	defer func() { panics = recover() != nil }()
	clear(map[V]bool{v: true})
	return false
}

// equalsItself is false for NaN.
func equalsItself[V comparable](v V) bool {
	other := v
	return v == other
}

func addTrial[V comparable](s *things, values func(*thing) []V, text func(V) string) anyIndex {
	x := &indexTrial[V]{values: values, reported: make(map[name]error)}
	x.index = AddIndex(s, IndexConfig[name, *thing, V]{Values: x.compute, Text: text, Report: x.report})
	return x
}

func (x *indexTrial[V]) compute(t *thing) ([]V, error) {
	switch values := x.values(t); {
	case t.panics:
		panic("as it was told")
	case t.fail:
		return values, errors.New("as it was told")
	default:
		return values, nil
	}
}

func (x *indexTrial[V]) report(key name, obj *thing, err error) {
	if _, failed := x.reported[key]; err == nil && !failed || obj.name != key {
		panic(fmt.Sprintf("%v is taken back with %v, and was not reported", key, obj))
	}
	if err == nil {
		delete(x.reported, key)
	} else {
		x.reported[key] = err
	}
}

func (x *indexTrial[V]) fails(t *thing) bool {
	return t.fail || t.panics || slices.ContainsFunc(x.values(t), unhashable[V])
}

// find returns the objects by value, and those with a value that is not equal to itself: an object once for each.
func (x *indexTrial[V]) find(model map[name]*thing) (objects map[V][]*thing, odd []*thing) {
	objects = make(map[V][]*thing)
	for _, t := range model {
		if x.fails(t) {
			continue
		}
		for _, v := range x.values(t) {
			if !equalsItself(v) {
				odd = append(odd, t)
			} else if !slices.Contains(objects[v], t) {
				objects[v] = append(objects[v], t)
			}
		}
	}
	return objects, odd
}

func (x *indexTrial[V]) check(s *Snapshot[name, *thing], model map[name]*thing) error {
	view := x.index.In(s)
	want, odd := x.find(model)
	var got []V
	for v := range view.Values() {
		if !equalsItself(v) {
			odd = odd[min(1, len(odd)):]
		} else {
			got = append(got, v)
		}
	}
	if err := sameSet(got, slices.Collect(maps.Keys(want))); err != nil || len(odd) > 0 {
		return fmt.Errorf("values: %w; %d more that are not equal to themselves", err, len(odd))
	}
	for v, objects := range want {
		if err := sameSet(slices.Collect(view.Lookup(v)), objects); err != nil || view.Count(v) != len(objects) {
			return fmt.Errorf("value %v: %w; count is %d, want %d", v, err, view.Count(v), len(objects))
		}
	}
	return errors.Join(x.checkOthers(view, want), x.checkOrder(view, want))
}

// checkOthers looks up values that perhaps no object has.
func (x *indexTrial[V]) checkOthers(view View[name, *thing, V], want map[V][]*thing) error {
	for i := range 9 {
		for _, v := range x.values(&thing{values: []int{i}}) {
			if unhashable(v) {
				continue
			}
			if n := len(slices.Collect(view.Lookup(v))); n != len(want[v]) || view.Count(v) != n {
				return fmt.Errorf("value %v has %d objects and %d, want %d", v, n, view.Count(v), len(want[v]))
			}
		}
	}
	return nil
}

func (x *indexTrial[V]) checkOrder(view View[name, *thing, V], want map[V][]*thing) error {
	if x.index.Text == nil {
		return nil
	}
	for _, prefix := range []string{"", "a", "ab", "b", "bbb"} {
		got, last := make(map[V][]*thing), ""
		for v, t := range view.Prefix(prefix) {
			if text := x.index.Text(v); text < last {
				return fmt.Errorf("%q comes after %q", text, last)
			}
			last = x.index.Text(v)
			got[v] = append(got[v], t)
		}
		for v, objects := range want {
			if !strings.HasPrefix(x.index.Text(v), prefix) {
				objects = nil
			}
			if err := sameSet(got[v], objects); err != nil {
				return fmt.Errorf("prefix %q, value %v: %w", prefix, v, err)
			}
			delete(got, v)
		}
		if len(got) > 0 {
			return fmt.Errorf("prefix %q also has %v", prefix, got)
		}
	}
	return nil
}

// wellFormed follows each ref to its posting and each posting's slots back to their refs.
func (x *indexTrial[V]) wellFormed(model map[name]*thing) error {
	s := x.index.store.Snapshot()
	d := s.content().directories[x.index.number].(*directory[*thing, V])
	if len(x.index.first) != s.Len() || x.index.others != nil && len(x.index.others) != s.Len() {
		return fmt.Errorf("%d and %d refs of %d objects", len(x.index.first), len(x.index.others), s.Len())
	}
	slots, refs := 0, 0
	for entry := range d.postings.All() {
		p := entry.Item
		slots += p.slots.Len()
		if err := x.checkPosting(p); err != nil {
			return err
		}
	}
	for slot := range s.Len() {
		for r := range x.index.refs(uint32(slot)) {
			refs++
			if got := d.of(r.value).slots.At(int(r.position)); got != uint32(slot) {
				return fmt.Errorf("slot %d has value %v, at whose position is slot %d", slot, r.value.v, got)
			}
		}
	}
	if refs != slots {
		return fmt.Errorf("%d values and %d slots", refs, slots)
	}
	return errors.Join(x.checkFailed(model), x.checkTexts(d), x.checkRoom())
}

func (x *indexTrial[V]) checkPosting(p *posting[*thing, V]) error {
	if p.slots.Len() == 0 {
		return fmt.Errorf("no object has value %v", p.value.v)
	}
	for position := range p.slots.Len() {
		r := x.index.ref(p.slots.At(position), p.value)
		if r == nil || int(r.position) != position {
			return fmt.Errorf("value %v has slot %d, whose ref is %v", p.value.v, p.slots.At(position), r)
		}
	}
	if v := p.value.v; equalsItself(v) && x.index.hash(v) != p.value.hash {
		return fmt.Errorf("value %v has a wrong hash", v)
	}
	return nil
}

// checkFailed compares the objects that failed, and those that were reported and not taken back.
func (x *indexTrial[V]) checkFailed(model map[name]*thing) error {
	var want []name
	for key, t := range model {
		if x.fails(t) {
			want = append(want, key)
		}
	}
	return errors.Join(
		sameSet(slices.Collect(maps.Keys(x.index.failed)), want),
		sameSet(slices.Collect(maps.Keys(x.reported)), want),
	)
}

func (x *indexTrial[V]) checkTexts(d *directory[*thing, V]) error {
	texts := 0
	for text, value := range d.order.From("") {
		texts++
		if x.index.Text == nil || x.index.Text(value.v) != text || d.of(value).value != value {
			return fmt.Errorf("text %q is of value %v", text, value.v)
		}
	}
	if x.index.Text != nil && texts != d.postings.Len() {
		return fmt.Errorf("%d texts of %d values", texts, d.postings.Len())
	}
	return nil
}

// checkRoom says whether the writer holds on to what has gone, or to much more room than it uses.
func (x *indexTrial[V]) checkRoom() error {
	first, others := x.index.first, x.index.others
	if cap(first) > max(64, 4*len(first)) || cap(others) > max(64, 4*len(others)) {
		return fmt.Errorf("%d objects in room for %d and %d", len(first), cap(first), cap(others))
	}
	for _, r := range first[len(first):cap(first)] {
		if r.value != nil {
			return fmt.Errorf("value %v of an object that has gone", r.value.v)
		}
	}
	for _, r := range others[len(others):cap(others)] {
		if r != nil {
			return errors.New("values of an object that has gone")
		}
	}
	return nil
}
