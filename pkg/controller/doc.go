// Package controller turns events of informers into calls of a reconcile function.
//
// # What it guarantees
//
//   - Not before sync: nothing is reconciled before all sources have delivered what exists.
//   - One at a time: a key is reconciled by one worker at a time. Changes that arrive meanwhile lead to one more run.
//   - At least once: after each change of a key, as its source maps it, the key is reconciled, unless the mapping panics.
//   - Its own writes: what a reconcile has written, by package write or told by [Wrote], is in the cache when the same key is
//     reconciled again, or has been waited for as long as [Config.SettleTimeout] says. So nothing is created twice because
//     the cache is late.
//   - Honest back-off: a key that fails is retried with growing waits. Events that are part of the failure neither count as
//     failures nor cut the wait short; a new desired state does. See [For].
//   - Isolated: a reconcile that fails or panics disturbs no other key, and one that takes too long keeps one worker, ends
//     its context, and is logged and counted. A key with very many events takes no more than its turn and one worker; so
//     does a tenant, a namespace for instance, if [queue.Config.Tenant] knows them. A panic of the reconcile, of Classify,
//     Observe, a mapping, a predicate, the keys of [Every], what [Expect] is given, or the rate limiter is logged and ends
//     nothing else.
//   - Considerate: while the API server refuses, the controller slows down, and says so. See [Breaker].
//   - Stopping waits: when the context of [Controller.Run] is done no further key is handed out, running reconciles get a
//     grace period with a live context, and Run returns when the last one has returned.
//
// # The way from an event to a call
//
//		informers ──▶ Source ──▶ Queue ──▶ worker ──▶ Reconcile ──▶ Result
//		           1          2         3          4             │
//		                        ▲                               5│
//		                        └──── retry, requeue, park ──────┘
//
//	 1. A [Source] ([For], [Owns], [Watches], and others) subscribes to an informer.
//	 2. It drops the events that a [Predicate] does not want, maps the others to the keys that are to be reconciled, and adds
//	    them to the queue.
//	 3. The queue merges the adds of a key; see package queue.
//	 4. A worker takes a key and calls Reconcile, which reads the cache and makes the world as it should be.
//	 5. The [Result] says what comes next: [Done], [RequeueAfter], [Retry], [RetryAfter] or [Park]. What an error means is
//	    decided by its [Class]. The key is handed out again when the caches have what was written.
//
// Because a key may stand for any number of changes, Reconcile gets the key and not the event: it looks at what is there
// now ("level-triggered"). [AttemptFrom] says which events there were.
//
// # How a controller is tested
//
// With a fake clientset, whose watches work, in a bubble of testing/synctest: synctest.Wait returns when the controller has done
// all that there is to do, without any waiting in real time. TestHowControllersAreTested of this package does it with the
// controller of the package example. The directory examples/crontab has one that is tested on a real API server.
//
// # What is around it
//
// Package manager runs controllers and informers as a program, with leader election, health and signals. Package write
// writes, package client finds and talks to the API server, and packages condition, events, finalizer and owner help with
// what most controllers do.
package controller
