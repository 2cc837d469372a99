// Package queue holds the keys that wait to be reconciled.
//
// A [Queue] guarantees:
//
//   - One worker per key: a key that was taken is not handed out again before [Queue.Done].
//   - At least once: a key added while it is processed runs again after Done.
//   - Stingy: however often a key is added while it waits, it is handed out once.
//   - Fair: ready keys are handed out in the order in which they became ready.
//   - One pending run per key: of several delays the earliest wins, and an immediate [Queue.Add] overtakes a delay.
//   - Many producers and many consumers; every method may be called concurrently.
//   - No goroutine: one timer serves all delays, and whoever waits in [Queue.Take] serves the timer.
//
// How a key moves:
//
//	            AddAfter, AddRateLimited
//	            ┌───────────────▶ delayed ──due──┐
//	(unknown) ──┤                                ▼
//	            └──Add────────────────────────▶ ready ──Take──▶ running ──Done──▶ (forgotten)
//	                                              ▲                │
//	                                              └── added while running: after Done
//
// The package knows nothing of Kubernetes; a key is any comparable value.
package queue
