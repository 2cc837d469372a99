package persistent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// orderedTrial has a sorted slice of texts as its model. The item of a text is the transaction that inserted it.
type orderedTrial struct {
	ordered Ordered[Owner]
	model   []entryOfText
}

type entryOfText struct {
	text string
	item Owner
}

func newOrderedTrial() *orderedTrial { return &orderedTrial{} }

func (tr *orderedTrial) change(p *program, owner Owner) {
	switch p.below(5) {
	case 0:
		tr.insert(owner, text(p.below(1<<16)), p.below(4))
	case 1:
		kind, first := p.below(4), p.below(1<<16)
		for i := range p.oneOf(2, 10, 50, 200) {
			tr.insert(owner, text(first+i), kind)
		}
	case 2:
		tr.delete(owner, p.below(1<<16))
	case 3:
		for range p.oneOf(2, 10, 50, 1000) {
			tr.delete(owner, p.below(1<<16))
		}
	case 4: // the same text goes and comes back
		t := text(p.below(1 << 16))
		tr.insert(owner, t, p.below(4))
		tr.deleteText(owner, t)
		tr.insert(owner, t, p.below(4))
	}
}

// text returns one of a thousand texts: many are the beginning of others, and one is empty.
func text(i int) string {
	return strings.TrimPrefix(strings.NewReplacer("0", "a", "1", "ab").Replace(fmt.Sprintf("%b", i%1024)), "ab")
}

// priority returns a priority of one of several kinds: good, all equal, and in the order of the texts or against it.
func priority(kind int, t string) uint32 {
	sum := uint32(0)
	for i := range 8 {
		sum *= 3
		if i < len(t) {
			sum += uint32(t[i] - '`')
		}
	}
	switch kind {
	case 0:
		return (sum + uint32(len(t))) * 2654435761
	case 1:
		return 7
	case 2:
		return sum
	default:
		return 1<<31 - sum
	}
}

func (tr *orderedTrial) find(t string) (int, bool) {
	return slices.BinarySearchFunc(tr.model, t, func(e entryOfText, t string) int { return strings.Compare(e.text, t) })
}

func (tr *orderedTrial) insert(owner Owner, t string, kind int) {
	if i, found := tr.find(t); !found {
		tr.ordered.Insert(owner, t, priority(kind, t), owner)
		tr.model = slices.Insert(tr.model, i, entryOfText{t, owner})
	}
}

func (tr *orderedTrial) deleteText(owner Owner, t string) {
	i, _ := tr.find(t)
	tr.ordered.Delete(owner, t)
	tr.model = slices.Delete(tr.model, i, i+1)
}

func (tr *orderedTrial) delete(owner Owner, i int) {
	if len(tr.model) > 0 {
		tr.deleteText(owner, tr.model[i%len(tr.model)].text)
	}
}

func (tr *orderedTrial) check() error {
	for _, low := range []string{"a", "ab", "aba", "b", "\x00"} {
		i, _ := tr.find(low)
		if err := sameTexts(&tr.ordered, low, tr.model[i:]); err != nil {
			return err
		}
	}
	return errors.Join(sameTexts(&tr.ordered, "", tr.model), tr.ordered.root.wellFormed())
}

// wellFormed says whether texts are in order, no priority is above that of the parent, and no owner newer.
func (n *item[I]) wellFormed() error {
	if n == nil {
		return nil
	}
	for _, child := range []*item[I]{n.left, n.right} {
		if child != nil && (child.priority > n.priority || child.owner > n.owner) {
			return fmt.Errorf("%q, priority %d of owner %d, is above %q, %d of %d",
				n.text, n.priority, n.owner, child.text, child.priority, child.owner)
		}
	}
	if n.left != nil && n.left.text >= n.text || n.right != nil && n.right.text <= n.text {
		return fmt.Errorf("%q is between the wrong texts", n.text)
	}
	return errors.Join(n.left.wellFormed(), n.right.wellFormed())
}

func (tr *orderedTrial) keep() func() error {
	ordered, model := tr.ordered, slices.Clone(tr.model)
	return func() error { return sameTexts(&ordered, "", model) }
}

func sameTexts(o *Ordered[Owner], low string, want []entryOfText) error {
	var got []entryOfText
	for t, item := range o.From(low) {
		got = append(got, entryOfText{t, item})
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("from %q there are %v, want %v", low, got, want)
	}
	return nil
}

func TestOrderedStops(t *testing.T) {
	tr := newOrderedTrial()
	for i := range 100 {
		tr.insert(1, text(i), 0)
	}
	for stopAt := range 20 {
		seen := 0
		for range tr.ordered.From("") {
			seen++
			if seen > stopAt {
				break
			}
		}
		if seen != stopAt+1 {
			t.Fatalf("saw %d after stopping at %d", seen, stopAt)
		}
	}
}
