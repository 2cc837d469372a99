package queuetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

// TestOrder checks that the orders that newOrder returns conform to [queue.Order]. Which item comes first is up to the
// order. As a queue does, the checks touch only items that are in it, push only others, and pop only if there are any.
func TestOrder(t *testing.T, newOrder func() queue.Order[string]) {
	t.Helper()
	for _, check := range orderChecks(newOrder) {
		t.Run(check.promise, func(t *testing.T) {
			if err := check.broken(); err != nil {
				t.Error(err)
			}
		})
	}
}

func orderChecks(newOrder func() queue.Order[string]) []check {
	subject := orderSubject{newOrder}
	return []check{
		{"a new order is empty", subject.beginsFilled},
		{"each item comes out once", subject.losesItems},
		{"items come and go in any sequence", subject.getsLost},
		{"Touch neither adds nor removes", subject.touchChanges},
		{"an item comes back", subject.servesOnce},
		{"orders are independent", subject.shares},
	}
}

// An orderSubject makes the orders under test.
type orderSubject struct {
	newOrder func() queue.Order[string]
}

func (s orderSubject) beginsFilled() error {
	order := s.track()
	order.compare("at first")
	return order.err
}

func (s orderSubject) losesItems() error {
	order := s.track()
	order.push(items(100)...)
	return order.drain()
}

// getsLost draws the same sequence each time.
func (s orderSubject) getsLost() error {
	order := s.track()
	random := rand.New(rand.NewPCG(1, 2))
	universe := items(30)
	for range 5000 {
		item := universe[random.IntN(len(universe))]
		switch {
		case !order.in[item]:
			order.push(item)
		case random.IntN(2) == 0:
			order.touch(item)
		default:
			order.pop()
		}
	}
	return order.drain()
}

func (s orderSubject) touchChanges() error {
	for _, item := range items(5) {
		order := s.track()
		order.push(items(5)...)
		order.touch(item)
		order.touch(item)
		if err := order.drain(); err != nil {
			return err
		}
	}
	return nil
}

func (s orderSubject) servesOnce() error {
	order := s.track()
	for range 3 {
		order.push("item 0")
		order.pop()
		order.push(items(10)...)
		if err := order.drain(); err != nil {
			return err
		}
	}
	return nil
}

func (s orderSubject) shares() error {
	one, other := s.track(), s.track()
	one.push("a", "b")
	other.push("c")
	return errors.Join(other.drain(), one.drain())
}

func (s orderSubject) track() *trackedOrder {
	return &trackedOrder{order: s.newOrder(), in: make(map[string]bool)}
}

func items(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint("item ", i)
	}
	return all
}

// A trackedOrder knows what is in the order. When the order knows differently, err says how, and nothing is done any
// more.
type trackedOrder struct {
	order queue.Order[string]
	in    map[string]bool
	err   error
}

func (o *trackedOrder) push(added ...string) {
	for _, item := range added {
		if o.err != nil {
			return
		}
		o.order.Push(item)
		o.in[item] = true
		o.compare(fmt.Sprintf("after Push(%q)", item))
	}
}

func (o *trackedOrder) touch(item string) {
	if o.err != nil {
		return
	}
	o.order.Touch(item)
	o.compare(fmt.Sprintf("after Touch(%q)", item))
}

func (o *trackedOrder) pop() {
	if o.err != nil {
		return
	}
	item := o.order.Pop()
	if !o.in[item] {
		o.err = fmt.Errorf("Pop returns %q, which is not in the order", item)
		return
	}
	delete(o.in, item)
	o.compare(fmt.Sprintf("after Pop of %q", item))
}

// drain pops all items and returns the first error of all.
func (o *trackedOrder) drain() error {
	for len(o.in) > 0 && o.err == nil {
		o.pop()
	}
	return o.err
}

func (o *trackedOrder) compare(when string) {
	if got := o.order.Len(); got != len(o.in) {
		o.err = fmt.Errorf("%s Len is %d with %d items in the order", when, got, len(o.in))
	}
}
