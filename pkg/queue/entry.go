package queue

import "time"

// An entry is everything the queue knows of one key. Exactly these combinations occur:
//
//	state    running  meaning
//	idle     true     being processed, nothing pending
//	delayed  false    waits for due
//	delayed  true     being processed, and again when due
//	ready    false    waits in the ring
//	ready    true     being processed, and again right after Done; not in the ring
//
// A key that is idle and not running has no entry.
type entry[K comparable] struct {
	key     K
	state   state
	running bool

	due      time.Time // delayed: when it becomes ready
	order    uint64    // delayed: of those due at the same time the lower comes first
	position int       // delayed: index in the heap
	readyAt  time.Time // ready: since when a worker could have taken it
}

type state uint8

const (
	idle state = iota
	delayed
	ready
)
