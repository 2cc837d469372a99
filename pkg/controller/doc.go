// Package controller turns events of informers into calls of a reconcile function.
//
// A [Controller] guarantees:
//
//   - Not before sync: nothing is reconciled before all sources have delivered what exists.
//   - One at a time: a key is reconciled by one worker at a time. Changes that arrive meanwhile lead to one more run.
//   - At least once: after each change of a key, as its source maps it, the key is reconciled, unless the mapping panics.
//   - Isolated: a reconcile that fails or panics is retried with back-off and disturbs no other key.
//   - Stopping waits: when the context of [Controller.Run] is done no further key is handed out, running reconciles get a
//     grace period with a live context, and Run returns when the last one has returned.
//
// The way from an event to a call:
//
//		informers ──▶ Source ──▶ Queue ──▶ worker ──▶ Reconcile ──▶ Result
//		           1          2         3          4             │
//		                        ▲                               5│
//		                        └───────── retry, requeue ───────┘
//
//	 1. A [Source] ([For], [Owns], [Watches]) subscribes to an informer.
//	 2. It maps each event to the keys that are to be reconciled and adds them to the queue.
//	 3. The queue merges the adds of a key; see package queue.
//	 4. A worker takes a key and calls Reconcile, which reads the cache and makes the world as it should be.
//	 5. The [Result] says what comes next: [Done], [RequeueAfter], or [Retry] with back-off.
//
// Because a key may stand for any number of changes, Reconcile gets the key and not the event: it looks at what is there
// now ("level-triggered").
package controller
