// Package events tells users what a controller does to their objects: it writes Events, of group events.k8s.io/v1, which
// "kubectl describe" shows.
//
//	recorder.Warning(tab, "ScheduleInvalid", "Schedule", "the schedule has 4 fields, it must have 5")
//
// Guarantees:
//
//   - Recording never waits and never fails, whatever the API server does. What is lost is counted, by cause.
//   - Equal events are one Event with a count: 100 in a minute are two requests. The count is exact once Run has returned
//     and the server was there.
//   - An object gets at most [Config.Burst] new Events and one more each [Config.Refill]; of the same reason and action,
//     [Config.Similar] with different notes, after which similar ones become one.
//   - Memory is bounded: by [Config.Buffer] for what waits and by [Config.Memory] for what is remembered.
//   - A server that does not answer gets fewer requests; what it has refused it is not asked again. An answer that was lost
//     makes no second Event.
//   - [Recorder.Run] is one goroutine that writes, and one that ends it in time; when it returns nothing is written any more.
//
// How an event becomes a request:
//
//	Record ─▶ 1 combine ─▶ 2 merge ─▶ 3 admit ─▶ 4 ready ─▶ 5 write ─▶ 6 cool ─┐
//	                          │                    ▲                           │
//	                          └─ count ────────────┴───────────────────────────┘
//
// In words:
//
//  1. If there are too many notes like this one, it is to be counted with the others of them.
//  2. If there is an open Event like this one, its count grows. Equal are events of the same object and related object,
//     by UID and name but not by version, type, reason, action and note.
//  3. Otherwise there must be room in the buffer and in the budget of the object. The latest is dropped, not the oldest.
//  4. New Events and those with a new count wait in one queue.
//  5. Run creates the Event, or patches its series. One that fails for now goes to the end of the queue.
//  6. After a write the Event rests for [Config.UpdateInterval]. It stays open until there was no equal one for
//     [Config.Window].
//
// The rules of the API for an Event are those of pkg/apis/core/validation/events.go in k8s.io/kubernetes: a count begins at
// 2, everything but the series is immutable, and Events of objects without a namespace are in namespace "default". The
// API server deletes an Event an hour after it was written last, unless it is told otherwise by --event-ttl.
//
// A recorder writes, so give it a client that respects the lease, if the controller has one.
package events
