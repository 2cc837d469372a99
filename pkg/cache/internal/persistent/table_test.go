package persistent

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// tableTrial has a list of entries as its model.
type tableTrial struct {
	table Table[int]
	model []Entry[int]
	next  int
}

func newTableTrial() *tableTrial { return &tableTrial{} }

func (tr *tableTrial) change(p *program, owner Owner) {
	switch p.below(6) {
	case 0:
		tr.insert(owner, 1, p.below(5))
	case 1:
		tr.insert(owner, p.oneOf(2, 5, 6, 7, 12, 13, 100, 400), p.below(5))
	case 2:
		tr.delete(owner, 1, p.below(1<<16))
	case 3:
		tr.delete(owner, p.oneOf(2, 5, 6, 7, 12, 50, 300, 1<<20), p.below(1<<16))
	case 4:
		tr.replace(owner, p.below(1<<16))
	case 5: // a bucket loses an entry and gets another in the same transaction
		tr.delete(owner, 1, p.below(1<<16))
		tr.insert(owner, 1, p.below(5))
	}
}

// hashed returns a hash of one of several kinds, from good ones to a single one.
func hashed(kind, i int) uint32 {
	switch kind {
	case 0:
		return uint32(i) * 2654435761
	case 1:
		return uint32(i)
	case 2:
		return uint32(i) << 27
	case 3:
		return uint32(i % 3)
	default:
		return 1<<32 - 1
	}
}

func (tr *tableTrial) insert(owner Owner, n, kind int) {
	for range n {
		tr.next++
		entry := Entry[int]{hashed(kind, tr.next), tr.next}
		tr.table.Insert(owner, entry.Hash, entry.Item)
		tr.model = append(tr.model, entry)
	}
}

func (tr *tableTrial) delete(owner Owner, n, at int) {
	for range min(n, len(tr.model)) {
		i := at % len(tr.model)
		tr.table.Delete(owner, tr.model[i].Hash, tr.model[i].Item)
		tr.model = slices.Delete(tr.model, i, i+1)
	}
}

func (tr *tableTrial) replace(owner Owner, at int) {
	if len(tr.model) > 0 {
		tr.next++
		entry := &tr.model[at%len(tr.model)]
		tr.table.Replace(owner, entry.Hash, entry.Item, tr.next)
		entry.Item = tr.next
	}
}

func (tr *tableTrial) check() error {
	return errors.Join(sameTable(&tr.table, tr.model), tr.wellFormed())
}

func (tr *tableTrial) wellFormed() error {
	t := &tr.table
	buckets := t.buckets.Len()
	if t.items > load*buckets || t.items < load/2*(buckets-1) {
		return fmt.Errorf("%d items in %d buckets", t.items, buckets)
	}
	if buckets > 0 && (buckets < 1<<t.level || buckets >= 2<<t.level) {
		return fmt.Errorf("%d buckets at level %d", buckets, t.level)
	}
	for n := range buckets {
		for _, entry := range t.buckets.At(n) {
			if t.number(entry.Hash) != n {
				return fmt.Errorf("entry %v is in bucket %d, not %d", entry, n, t.number(entry.Hash))
			}
		}
	}
	return wellFormed(&t.buckets)
}

func (tr *tableTrial) keep() func() error {
	table, model := tr.table, slices.Clone(tr.model)
	return func() error { return sameTable(&table, model) }
}

func sameTable(t *Table[int], model []Entry[int]) error {
	if t.Len() != len(model) {
		return fmt.Errorf("length is %d, want %d", t.Len(), len(model))
	}
	for _, entry := range model {
		if !slices.Contains(t.Bucket(entry.Hash), entry) {
			return fmt.Errorf("entry %v is not in its bucket", entry)
		}
	}
	entries := slices.Collect(t.All())
	byItem := func(a, b Entry[int]) int { return cmp.Compare(a.Item, b.Item) }
	slices.SortFunc(entries, byItem)
	if sorted := slices.SortedFunc(slices.Values(model), byItem); !slices.Equal(entries, sorted) {
		return fmt.Errorf("has entries %v, want %v", entries, sorted)
	}
	return nil
}

// A table whose size goes up and down a little, at any size, leaves its buckets as they are for most of the time.
func TestTableDoesNotSplitAndMergeInTurn(t *testing.T) {
	tr := newTableTrial()
	for owner := Owner(1); owner < 200; owner++ {
		tr.insert(owner, 1, 0)
		resized := 0
		for range 20 {
			before := tr.table.buckets.Len()
			n := min(3, len(tr.model))
			tr.delete(owner, n, 0)
			between := tr.table.buckets.Len()
			tr.insert(owner, n, 0)
			if before != between || between != tr.table.buckets.Len() {
				resized++
			}
		}
		if resized > 1 {
			t.Fatalf("with %d items, %d of 20 turns changed the number of buckets", tr.table.Len(), resized)
		}
	}
}
