// Package cache keeps a local, indexed copy of the objects of one kind and tells subscribers what changes.
//
// It guarantees:
//
//   - Typed: T is the pointer type of an API object from the wire to the handler. A delete event carries the last known
//     object and says whether its final state was seen; there is no tombstone to unwrap.
//   - In order: for each key a subscriber sees a subsequence of what happened to the object, in order, ending with its
//     last state. States in between may be merged when the subscriber is slow.
//   - Bounded: what waits for a subscriber is at most two events for each object that it knows or that exists, and as much
//     again of what it is at.
//   - Isolated: a handler or an index function that panics affects nothing else; it is logged and counted.
//   - Stopping waits: no goroutine outlives [Informer.Run].
//
// How data flows through an [Informer]:
//
//		API server ──▶ Reflector ──▶ DeltaFIFO ──▶ Indexer ──▶ backlog ──▶ handler
//		            1             2             3           4           5
//
//	 1. The [Reflector] lists in pages, then watches from the list's resource version. The protocol type decides what to
//	    ask next when a request ends; it does no I/O.
//	 2. Each change goes into the [DeltaFIFO], which merges the changes of a key while they wait.
//	 3. One goroutine takes everything that waits as a [Batch] and applies it to the [Indexer] as one transaction, which
//	    yields events: what was added, updated, deleted compared with what was there.
//	 4. Each [Subscription] gets the events into a backlog of its own, which merges those of a key while they wait.
//	 5. One goroutine for each subscription hands the events to its handler, one by one.
//
// Objects in the cache are shared: nobody may change them.
package cache
