package queue_test

import (
	"slices"
	"testing"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-k8s/sluice/pkg/queue"
)

func TestAnOrderOfClientGo(t *testing.T) {
	r := newRig(t, queue.Config[string]{Order: workqueue.DefaultQueue[string]()})
	r.Add("a")
	r.AddWith("b", at(queue.Urgent)) // priorities count for nothing
	r.AddAfter("c", time.Second)
	r.Add("a")
	if r.Len() != 2 {
		t.Errorf("Len is %d, want 2", r.Len())
	}
	r.clock.Step(time.Second)
	wantKeys(t, take(t, r.Queue), "a", "b", "c")
	r.Add("b")
	r.Done("a")
	r.Done("b")
	r.Done("c")
	wantKeys(t, take(t, r.Queue), "b")
	r.Done("b")
	r.wantIdle()
}

// A popularity hands out first what was added most often.
type popularity struct {
	items   map[string]int
	touched []string
	panics  bool
}

func (p *popularity) Touch(item string) {
	p.mayPanic()
	p.touched = append(p.touched, item)
	p.items[item]++
}

func (p *popularity) Push(item string) {
	p.mayPanic()
	p.items[item] = 1
}

func (p *popularity) Len() int { return len(p.items) }

func (p *popularity) Pop() string {
	p.mayPanic()
	first := ""
	for item, n := range p.items {
		if best := p.items[first]; n > best || n == best && item < first {
			first = item
		}
	}
	delete(p.items, first)
	return first
}

func (p *popularity) mayPanic() {
	if p.panics {
		panic("out of order")
	}
}

func newPopularRig(t *testing.T) (rig, *popularity) {
	t.Helper()
	order := &popularity{items: make(map[string]int)}
	return newRig(t, queue.Config[string]{Order: order}), order
}

func TestAnOrderOfOnesOwn(t *testing.T) {
	r, order := newPopularRig(t)
	for _, key := range []string{"a", "b", "c", "b", "c", "c"} {
		r.Add(key)
	}
	r.AddWith("b", queue.AddOptions{})
	r.AddWith("b", queue.AddOptions{})
	wantKeys(t, take(t, r.Queue), "b", "c", "a")

	order.touched = nil
	r.Add("a")
	r.Add("a") // running: not in the order
	if len(order.touched) != 0 {
		t.Errorf("touched %q while they run", order.touched)
	}
	r.Done("a")
	r.Add("a")
	if !slices.Equal(order.touched, []string{"a"}) {
		t.Errorf("touched %q, want a", order.touched)
	}
	wantKeys(t, take(t, r.Queue), "a")
}

func TestInspectWithAnOrder(t *testing.T) {
	r, _ := newPopularRig(t)
	r.Add("a")
	r.Add("b")
	r.AddAfter("c", time.Hour)
	snapshot := r.Inspect(-1)
	ready := keysOf(snapshot.Ready)
	slices.Sort(ready) // only the order knows it
	if !slices.Equal(ready, []string{"a", "b"}) || snapshot.Status.Ready != 2 || len(snapshot.Delayed) != 1 {
		t.Errorf("lists %v, %v with %+v", ready, keysOf(snapshot.Delayed), snapshot.Status)
	}
	if info, found := r.Find("b"); !found || info.State != queue.Ready {
		t.Errorf("b is %+v, want ready", info)
	}
}

func TestTheQueueIsUsableAfterItsOrderPanicked(t *testing.T) {
	calls := map[string]func(r rig){
		"Touch": func(r rig) { r.Add("a") },
		"Pop":   func(r rig) { r.Get() },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			r, order := newPopularRig(t)
			r.Add("a")
			order.panics = true
			wantPanic(t, func() { call(r) })
			order.panics = false
			r.Add("b")
			r.Add("a")
			wantKeys(t, take(t, r.Queue), "a", "b")
		})
	}
}

// The key was not added, so it must neither be counted nor be thought to be ready.
func TestAKeyWhosePushPanickedIsLost(t *testing.T) {
	r, order := newPopularRig(t)
	order.panics = true
	wantPanic(t, func() { r.Add("a") })
	order.panics = false
	if r.Len() != 0 {
		t.Errorf("Len is %d, want 0", r.Len())
	}
	r.Add("a")
	r.Add("b")
	wantKeys(t, take(t, r.Queue), "a", "b")
}

// A forgetful order hands out the key that was pushed last, again and again.
type forgetful struct{ last string }

func (f *forgetful) Push(key string) { f.last = key }
func (f *forgetful) Touch(string)    {}
func (f *forgetful) Len() int        { return 1 }
func (f *forgetful) Pop() string     { return f.last }

func TestAKeyThatAnOrderPopsTwiceIsNotHandedOutTwice(t *testing.T) {
	r := newRig(t, queue.Config[string]{Order: &forgetful{}})
	r.Add("a")
	r.Add("b")
	wantPanic(t, func() { take(t, r.Queue) })
	r.Done("b")
	if status := r.Status(); status.Ready != 1 || status.Running != 0 {
		t.Errorf("the status is %+v, want a ready and nothing running", status)
	}
}
