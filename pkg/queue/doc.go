// Package queue holds the keys that wait to be reconciled.
//
// A [Queue] guarantees:
//
//   - One worker per key: a key that was taken is not handed out again before it is done.
//   - At least once: a key added while it is processed runs again after that.
//   - Stingy: however often a key is added while it waits, it is handed out once. It has one pending run, and perhaps a
//     later one that [Queue.AddAfter] promised.
//   - Fair: keys of the same priority are handed out in the order in which they became ready, or if there are tenants,
//     in turns; and no priority waits for more than so many keys of others. A key that is raised to a higher priority
//     while it waits comes after those that have it already.
//   - Honest: an event neither shortens the wait of a key that fails nor counts as a failure, unless it says Now.
//   - Bounded: memory is in proportion to the keys that wait or run. What is remembered of others has a limit:
//     [Config.Remember] keys, or as many as wait and run, and 65 536 that had failures which nobody forgot when their time
//     there was over.
//   - Many producers and many consumers; every method may be called concurrently.
//   - No goroutine: one timer at most serves all delays, and only while somebody waits for a key or metrics are told.
//     (With a clock other than the real one, a goroutine waits for that timer.)
//
// How a key moves:
//
//	               ┌───────────────────────── back-off, delay ◀────────────────────┐
//	               ▼                                                               │
//	event ──▶ delayed ──due──▶ ready ──Take──▶ running ──Finish──▶ Retry, RequeueAfter
//	  │                         ▲ ▲               │  └───────────▶ Success: forgotten, or ready if an event came
//	  └─────────────────────────┘ └──Replay── parked ◀──────────── Park, or too many retries
//
// # Two sets of calls
//
// A queue has the methods of client-go's workqueue.TypedRateLimitingInterface, so any controller can be given one. They
// mean what client-go documents: [Queue.Add] runs the key now, also when it waits for its retry, and nobody tells the
// queue how a run ended.
//
// The native calls say more, and so the queue can do more: [Queue.AddWith] has a priority, a delay and a cause,
// [Queue.Take] has a context and returns an [Item], and [Queue.Finish] says with an [Outcome] whether the run succeeded,
// is to be retried, or is to be parked. Both sets may be used on one queue.
//
// # What it costs
//
// Everything the queue knows of a key is in one entry, under one lock, found with one look-up; an item carries a handle
// to its entry, so that Finish needs none. [Queue.FinishAndTake] spares a busy worker a round of the lock, [Queue.AddAll] one
// for each key. In steady state nothing is allocated. What is not configured (priorities,
// tenants, hot keys, triggers, metrics, times) costs nothing.
//
// The package knows nothing of Kubernetes; a key is any comparable value.
package queue
