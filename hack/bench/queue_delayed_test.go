package bench

import (
	"math/rand/v2"
	"testing"
	"time"
)

// retryCycle is a failure and the retry that succeeds. The delay of 1 ns, see retryBase, is over as soon as it is looked
// at, so it is the handling of delays that is measured, and no waiting.
func retryCycle[K comparable](b *testing.B, ready workQueue[K], keys keySet[K]) {
	q := ready.(delayingQueue[K])
	defer q.ShutDown()
	next := rotation[K]{keys: keys.list(fewKeys)}
	for b.Loop() {
		key := next.key()
		q.AddRateLimited(key)
		if got, _ := q.Get(); got != key {
			b.Fatalf("took %v, want %v", got, key)
		}
		q.Done(key)
		q.Forget(key)
	}
	wantLen(b, ready, 0)
}

// addAfter adds keys that wait for a time about an hour away. One add in ten brings its key forward, by up to a minute;
// the others come to nothing, because the key is due earlier. The share stays the same however long the benchmark
// runs, as it would not for delays that do not depend on what is pending.
func addAfter[K comparable](b *testing.B, ready workQueue[K], keys keySet[K]) {
	bringForward(b, ready, keys, func(random *rand.Rand) time.Duration {
		return upTo(random, 10*time.Minute) - time.Minute
	})
}

// addAfterEarlier is addAfter with nothing but adds that bring their key forward: each has to move it. By one to two
// seconds, as all keys have their turn within one.
func addAfterEarlier[K comparable](b *testing.B, ready workQueue[K], keys keySet[K]) {
	bringForward(b, ready, keys, func(random *rand.Rand) time.Duration {
		return -time.Second - upTo(random, time.Second)
	})
}

func upTo(random *rand.Rand, limit time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(limit)))
}

// bringForward adds keys again and again, with a delay that differs by so much from the one that is pending.
func bringForward[K comparable](b *testing.B, ready workQueue[K], keys keySet[K], change func(*rand.Rand) time.Duration) {
	q := ready.(delayingQueue[K])
	defer q.ShutDown()
	random := rand.New(rand.NewPCG(1, 2))
	next := rotation[K]{keys: keys.list(backlogKeys)}
	pending := make([]time.Duration, backlogKeys)
	for i, key := range next.keys {
		pending[i] = time.Hour + upTo(random, 10*time.Minute)
		q.AddAfter(key, pending[i])
	}
	var changes [1 << 16]time.Duration // from what is pending; drawn before, as drawing costs time
	for i := range changes {
		changes[i] = change(random)
	}
	settle(b, q, keys)

	i := 0
	for b.Loop() {
		change := changes[i%len(changes)]
		delay := pending[next.at] + change
		if change < 0 {
			pending[next.at] = delay
		}
		q.AddAfter(next.key(), delay)
		i++
	}
	b.StartTimer() // delays on their way to a goroutine belong to the work
	settle(b, q, keys)
	b.StopTimer()
	wantLen(b, ready, 0)
}

// settle returns when the delays added so far have taken effect: a queue that hands them to a goroutine does so in order,
// so a key that is due before all others passes through behind them.
func settle[K comparable](tb testing.TB, q delayingQueue[K], keys keySet[K]) {
	tb.Helper()
	last := keys.key(backlogKeys)
	q.AddAfter(last, 1)
	if got, _ := q.Get(); got != last {
		tb.Fatalf("took %v, want %v", got, last)
	}
	q.Done(last)
}
