// Package cache keeps a local, indexed copy of the objects of one kind and tells subscribers what changes.
//
// # What it guarantees
//
//   - Typed: T is the pointer type of an API object from the wire to the handler. A delete event carries the last known
//     object and says whether its final state was seen; there is no tombstone to unwrap.
//   - Reads wait for nobody: get, iteration and index look-ups run on one immutable [Snapshot] that takes no lock, copies
//     no objects and never holds up the writer. It may be held as long as one likes, with all its indexes.
//   - In order: for each key a subscriber sees a subsequence of what happened to the object, in order, ending with its
//     last state. A deletion and a creation with another UID stay two events. The versions of an object never go back, but
//     for a restore of the server, which begins a new epoch.
//   - A prefix: after each batch the store is what the server had at [Indexer.ResourceVersion];
//     [Indexer.WaitUntil] waits for a version, so that a controller reads its own writes.
//   - Bounded: what waits anywhere is at most two changes for each object that the one who waits knows or that exists,
//     plus a constant, however many events pass and however slow a subscriber is.
//   - Isolated: an object that can't be decoded, a handler, an index function or a transform that fails or panics affects
//     one object and nothing else. It is counted, visible ([Indexer.Quarantined], [Informer.Subscriptions]) and tried again.
//   - Reconnected: whatever ends a request, the next one follows, from the same version where that is possible. Why all objects
//     were asked for again, how requests ended, and since when nothing was heard is told by [Informer.Status]; whether the
//     cache is of use by [Informer.Ready].
//   - Stopping waits: no goroutine outlives [Informer.Run].
//
// Objects in the cache are shared: nobody may change them. [k8s.io/apimachinery/pkg/runtime.Object.DeepCopyObject] first.
//
// # How data flows
//
//		API server ──▶ Reflector ──▶ transforms ──▶ DeltaFIFO ──▶ Indexer ──▶ log ──▶ handlers
//		            1             2              3             4           5       6
//
//	 1. The [Reflector] asks for all objects, by a watch that begins with them or by a list in pages, and then for changes.
//	    Package internal/protocol decides what to ask next when a request ends; it does no I/O. A [RESTSource] cuts the
//	    bytes that come into objects and decodes those that are not cached already.
//	 2. Each object goes through the informer's [Transform] functions, such as those of package transform that save memory.
//	 3. Each change goes into one of the two buffers of the [DeltaFIFO], which merges the changes of a key when many wait.
//	 4. One goroutine takes everything that waits as a [Batch] and applies it to the [Indexer] as one transaction, which
//	    yields events: what was added, updated, deleted compared with what was there.
//	 5. The events are appended to one log for all subscribers, each of which has a place in it. For one that falls behind,
//	    what it has missed is merged by key. One that joins late begins with a snapshot.
//	 6. One goroutine for each [Subscription] hands the events to its handler, one by one. A [BatchSubscription] is for
//	    those who would rather write a loop.
//
// # In a snapshot
//
// Package internal/store keeps objects in a vector, by slot; a hash table leads from a key to its slot, and one more for each
// index from a value to the slots of the objects that have it. All three are persistent: a transaction copies the few nodes
// that it changes and shares all others with the snapshot before. See the documentation of that package.
//
// # What costs how much
//
// A get takes about as long as one of a Go map without a lock. A loop over all objects is fastest by [Snapshot.Chunks]. A
// look-up in an index costs in proportion to what it finds, never to what there is, and so does a change. The second look-up
// of a value since a change is slower, and all that follow are fast: it gathers what they find. Taking a snapshot
// is free, except that the first reader after a burst of updates puts up to 1024 of them in their places, which the writer
// has left to it. See docs/benchmarks.md for figures.
package cache
