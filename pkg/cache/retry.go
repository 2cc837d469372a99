package cache

import (
	"container/heap"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

// retries holds what a handler has panicked at until it returns from it, and when each key is to be tried again. It does no
// locking.
type retries[T Object] struct {
	clock  clock.Clock
	failed *backlog[T]
	tries  map[types.NamespacedName]*try // of the keys in failed
	order  tryOrder                      // of the tries; the next one comes first
	most   int                           // keys there were since memory was given back

	timer clock.Timer // nil while there is nothing to wait for
	armed time.Time   // when the timer fires
}

// A try is the next one of a key.
type try struct {
	key   types.NamespacedName
	delay time.Duration // before it
	due   time.Time
	place int // in the order
}

const (
	minRetryDelay = time.Second
	maxRetryDelay = time.Minute
)

func newRetries[T Object](from clock.Clock) *retries[T] {
	return &retries[T]{clock: from, failed: newBacklog[T](), tries: make(map[types.NamespacedName]*try)}
}

func (r *retries[T]) has(key types.NamespacedName) bool {
	return len(r.tries) > 0 && r.tries[key] != nil
}

// push adds an event to what is kept of its key.
func (r *retries[T]) push(event Event[T]) { r.failed.push(event) }

// take removes and returns the events that are kept of a key. succeed must follow for each that the handler returns from,
// and fail for the rest.
func (r *retries[T]) take(key types.NamespacedName) []Event[T] {
	w := r.failed.take(key)
	return w.events[:w.count]
}

// fail keeps events of one key, of which the handler has panicked at the first. The key is tried again after a while, unless
// it is to be anyway.
func (r *retries[T]) fail(events ...Event[T]) {
	for n, event := range events {
		r.failed.push(event)
		if n == 0 {
			r.failed.keys.get(event.Key).told = true
			r.plan(event.Key)
		}
	}
}

func (r *retries[T]) plan(key types.NamespacedName) {
	if r.tries[key] != nil {
		return
	}
	t := &try{key: key, delay: minRetryDelay, due: r.clock.Now().Add(minRetryDelay)}
	r.tries[key] = t
	heap.Push(&r.order, t)
	r.most = max(r.most, len(r.tries))
}

// succeed forgets the delay of a key.
func (r *retries[T]) succeed(key types.NamespacedName) {
	if t := r.tries[key]; t != nil {
		heap.Remove(&r.order, t.place)
		delete(r.tries, key)
		r.shrink()
	}
}

// next returns a key that is due, and puts its next try off.
func (r *retries[T]) next(now time.Time) (key types.NamespacedName, ok bool) {
	if len(r.order) == 0 || r.order[0].due.After(now) {
		return types.NamespacedName{}, false
	}
	t := r.order[0]
	t.delay = min(2*t.delay, maxRetryDelay)
	t.due = r.clock.Now().Add(t.delay)
	heap.Fix(&r.order, 0)
	return t.key, true
}

// due returns a channel that is sent to when a key may be due, nil if there is none.
func (r *retries[T]) due() <-chan time.Time {
	if r.timer == nil {
		return nil
	}
	return r.timer.C()
}

// fired says that due was received from, and returns the time.
func (r *retries[T]) fired() time.Time {
	r.timer = nil
	return r.clock.Now()
}

// arm sets the timer to the next try. One that fires early does no harm.
func (r *retries[T]) arm() {
	switch {
	case len(r.order) == 0:
		r.stop()
	case r.timer == nil || r.order[0].due.Before(r.armed):
		r.stop()
		r.armed = r.order[0].due
		r.timer = r.clock.NewTimer(max(0, r.armed.Sub(r.clock.Now())))
	}
}

func (r *retries[T]) stop() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
}

// minShrink is how many keys are worth giving memory back for.
const minShrink = 64

// shrink gives memory back when few keys are left of many: neither maps nor slices do it by themselves.
func (r *retries[T]) shrink() {
	if r.most < minShrink || len(r.tries) > r.most/4 {
		return
	}
	failed, tries := newBacklog[T](), make(map[types.NamespacedName]*try, len(r.tries))
	for w := range r.failed.keys.all() {
		failed.keys.add(w.events[0].Key, *w)
	}
	for _, t := range r.order {
		tries[t.key] = t
	}
	failed.count = r.failed.count
	r.failed, r.tries, r.order, r.most = failed, tries, append(tryOrder(nil), r.order...), len(tries)
}

// tryOrder implements [heap.Interface].
type tryOrder []*try

func (o *tryOrder) Len() int { return len(*o) }

func (o *tryOrder) Less(i, j int) bool { return (*o)[i].due.Before((*o)[j].due) }

func (o *tryOrder) Swap(i, j int) {
	tries := *o
	tries[i], tries[j] = tries[j], tries[i]
	tries[i].place, tries[j].place = i, j
}

func (o *tryOrder) Push(x any) {
	t := x.(*try) //nolint:forcetypeassert // heap passes what it was given
	t.place = len(*o)
	*o = append(*o, t)
}

func (o *tryOrder) Pop() any {
	last := len(*o) - 1
	t := (*o)[last]
	(*o)[last] = nil
	*o = (*o)[:last]
	return t
}
