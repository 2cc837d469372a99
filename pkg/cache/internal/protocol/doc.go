// Package protocol decides what to ask an API server next, from how the last request ended. It does no I/O and knows no
// clock: a [Machine] is a table of [Rule] values and the few things to remember between requests.
//
// docs/protocol.md is the table, printed by [Print].
//
// The protocol is that of the Kubernetes API concepts "Efficient detection of changes" and "Streaming lists"
// (KEP-3157), "Resource versions" (KEP-1904, KEP-2340) and "Paging" (KEP-365).
package protocol
