package cache

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"
)

func TestEachObjectHasARetryDelayOfItsOwn(t *testing.T) {
	p := poison{at: map[string]bool{"Added a@1 initial": true, "Updated b@6": true}}
	play(t, Config{}, func(s scene) { s.informer.Subscribe("panics", p.handle) }, func(s scene) {
		time.Sleep(3610 * time.Second) // a is tried each minute by now, next at 3663
		s.update("b", "6")
		p.entries = nil
		for _, delay := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
			time.Sleep(delay - 1)
			p.next(s.T)
			time.Sleep(time.Nanosecond)
			p.next(s.T, "Updated b@6")
		}
		p.set("Updated b@6", false)
		time.Sleep(16 * time.Second)
		p.next(s.T, "Updated b@6")
		p.set("Updated b@7", true)
		s.update("b", "7")
		p.next(s.T, "Updated b@7")
		time.Sleep(time.Second) // its delay begins anew
		p.next(s.T, "Updated b@7")
	})
}

func TestRetriesGiveMemoryBack(t *testing.T) {
	r := newRetries[cm](clocktesting.NewFakeClock(someTime))
	const keys = 100_000
	for n := range keys {
		r.fail(Event[cm]{Type: Added, Key: nsKey(fmt.Sprint(n)), Object: configMap("x", "u", "1")})
	}
	before := heapInUse()
	for n := range keys - 1 {
		r.take(nsKey(fmt.Sprint(n)))
		r.succeed(nsKey(fmt.Sprint(n)))
	}
	if after := heapInUse(); after > before-keys*200 {
		t.Errorf("the heap has %d bytes with one key left, %d with all", after, before)
	}
	if !r.has(nsKey(fmt.Sprint(keys-1))) || r.failed.count != 1 || cap(r.order) > minShrink || cap(r.failed.keys.entries) > minShrink {
		t.Errorf("%d events are left in %d entries, want one", r.failed.count, cap(r.failed.keys.entries))
	}
}

// naiveRetries is the model: it looks through all keys.
type naiveRetries map[types.NamespacedName]*try

func (n naiveRetries) due(now time.Time) (due map[types.NamespacedName]bool) {
	due = map[types.NamespacedName]bool{}
	for key, t := range n {
		if !t.due.After(now) {
			due[key] = true
			t.delay = min(2*t.delay, maxRetryDelay)
			t.due = now.Add(t.delay)
		}
	}
	return due
}

func TestRetriesAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := clocktesting.NewFakeClock(someTime)
		r, naive := newRetries[cm](clock), naiveRetries{}
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			key := nsKey(fmt.Sprint(rapid.IntRange(0, 200).Draw(t, "key")))
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				if naive[key] == nil {
					naive[key] = &try{delay: minRetryDelay, due: clock.Now().Add(minRetryDelay)}
					r.fail(Event[cm]{Type: Added, Key: key})
				}
			case 2:
				if r.has(key) {
					r.take(key)
					r.succeed(key)
				}
				delete(naive, key)
			case 3:
				clock.Step(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
				want := naive.due(clock.Now())
				for got, ok := r.next(clock.Now()); ok; got, ok = r.next(clock.Now()) {
					if !want[got] {
						t.Fatalf("%s is due, the model says it is not", got)
					}
					delete(want, got)
				}
				if len(want) > 0 {
					t.Fatalf("%v are due, too", want)
				}
			}
			if len(r.tries) != len(naive) || r.failed.count != len(naive) || len(r.order) != len(naive) {
				t.Fatalf("%d keys, %d events, %d in order, want %d", len(r.tries), r.failed.count, len(r.order), len(naive))
			}
		}
	})
}
