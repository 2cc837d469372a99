package queue

import "fmt"

// A Priority is the class of a pending run. Classes are served from [Urgent] down to [Background]; each
// class gets its turn after so many keys of others: see [Config.MaxOvertakes]. Values beyond the named ones count as the nearest.
type Priority int8

// The classes. The zero value is Normal.
const (
	Background Priority = iota - 2 // work that nobody waits for: periodic resync, garbage collection
	Low                            // the first pass over all objects after a start
	Normal
	High   // a person waits for it
	Urgent // what must overtake everything else
)

// A class is a priority as an index, from 0 for the lowest.
type class uint8

const (
	numClasses  = int(Urgent-Background) + 1
	normalClass = class(Normal - Background)
)

func (p Priority) class() class { return class(min(max(p, Background), Urgent) - Background) }

func (c class) priority() Priority { return Background + Priority(c) }

func (p Priority) String() string {
	switch p {
	case Background:
		return "background"
	case Low:
		return "low"
	case Normal:
		return "normal"
	case High:
		return "high"
	case Urgent:
		return "urgent"
	default:
		return fmt.Sprintf("Priority(%d)", int8(p))
	}
}
