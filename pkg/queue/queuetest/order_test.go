package queuetest

import (
	"cmp"
	"slices"
	"testing"

	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// An order conforms, as the last that was pushed or touched first, until one of its parts is replaced.
type order struct {
	items []string

	touch func(item string)
	push  func(item string)
	len   func() int
	pop   func() string
}

func newOrder(breakIt func(*order)) *order {
	o := new(order)
	o.push = func(item string) { o.items = append(o.items, item) }
	o.touch = func(item string) {
		o.items = append(slices.DeleteFunc(o.items, func(i string) bool { return i == item }), item)
	}
	o.len = func() int { return len(o.items) }
	o.pop = func() string {
		last := len(o.items) - 1
		item := o.items[last]
		o.items = o.items[:last]
		return item
	}
	breakIt(o)
	return o
}

func (o *order) Touch(item string) { o.touch(item) }
func (o *order) Push(item string)  { o.push(item) }
func (o *order) Len() int          { return o.len() }
func (o *order) Pop() string       { return o.pop() }

func TestOrdersConform(t *testing.T) {
	orders := map[string]func() queue.Order[string]{
		"client-go's first in, first out": func() queue.Order[string] { return workqueue.DefaultQueue[string]() },
		"last in, first out":              func() queue.Order[string] { return newOrder(func(*order) {}) },
		"by name": func() queue.Order[string] {
			return newOrder(func(o *order) {
				o.touch = func(string) {}
				o.push = func(item string) {
					o.items = append(o.items, item)
					slices.SortFunc(o.items, func(a, b string) int { return cmp.Compare(b, a) })
				}
			})
		},
	}
	for name, newOrder := range orders {
		t.Run(name, func(t *testing.T) { TestOrder(t, newOrder) })
	}
}

func TestBrokenOrdersAreFound(t *testing.T) {
	common := new(order)
	tests := map[string]struct {
		breakIt func(*order)
		want    string // a promise that is broken, maybe beside others
	}{
		"begins with an item": {func(o *order) { o.items = []string{"ghost"} }, "a new order is empty"},
		"loses the 100th": {func(o *order) {
			push := o.push
			o.push = func(item string) {
				if len(o.items) < 99 {
					push(item)
				}
			}
		}, "each item comes out once"},
		"hands out others": {func(o *order) {
			pop := o.pop
			o.pop = func() string { return pop() + "?" }
		}, "each item comes out once"},
		"hands out an item twice": {func(o *order) {
			count := 0
			o.push = func(item string) { count++; o.items = append(o.items, item) }
			o.len = func() int { return count }
			o.pop = func() string { count--; return o.items[0] }
		}, "each item comes out once"},
		"loses an item at every thousandth push": {func(o *order) {
			push, pushes := o.push, 0
			o.push = func(item string) {
				pushes++
				if pushes%1000 != 0 {
					push(item)
				}
			}
		}, "items come and go in any sequence"},
		"Touch adds":    {func(o *order) { o.touch = func(item string) { o.items = append(o.items, item) } }, "Touch neither adds nor removes"},
		"Touch removes": {func(o *order) { o.touch = func(string) { o.pop() } }, "Touch neither adds nor removes"},
		"Touch exchanges an item": {func(o *order) {
			o.touch = func(item string) { o.items[len(o.items)-1] = item }
		}, "Touch neither adds nor removes"},
		"takes an item only once": {func(o *order) {
			push, seen := o.push, make(map[string]bool)
			o.push = func(item string) {
				if !seen[item] {
					push(item)
				}
				seen[item] = true
			}
		}, "an item comes back"},
		"Len is behind": {func(o *order) {
			o.len = func() int { return max(len(o.items)-1, 0) }
		}, "each item comes out once"},
		"one for all": {func(o *order) {
			o.items = nil
			o.push = func(item string) { common.items = append(common.items, item) }
			o.len = func() int { return len(common.items) }
			o.pop = func() string { item := common.items[0]; common.items = common.items[1:]; return item }
		}, "orders are independent"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, check := range orderChecks(func() queue.Order[string] { return newOrder(test.breakIt) }) {
				if err := check.broken(); err != nil {
					t.Logf("%s: %v", check.promise, err)
					got = append(got, check.promise)
				}
			}
			if !slices.Contains(got, test.want) {
				t.Errorf("broken are %q, want %q among them", got, test.want)
			}
		})
	}
}
