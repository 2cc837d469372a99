package cache

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"
)

// An EventType says what happened to a cached object.
type EventType uint8

// The types of events.
const (
	Added EventType = iota + 1
	Updated
	Deleted
)

func (t EventType) String() string {
	switch t {
	case Added:
		return "Added"
	case Updated:
		return "Updated"
	case Deleted:
		return "Deleted"
	default:
		return fmt.Sprintf("EventType(%d)", uint8(t))
	}
}

// An Event is a change of one object in the cache, compared with what the subscriber saw before. Its objects are shared
// with the cache and must not be changed.
type Event[T Object] struct {
	Key types.NamespacedName

	// Object is the new state; in a Deleted event the last known one.
	Object T
	// Old is the state before an Updated event, else nil.
	Old T

	Type EventType
	// Initial says that an Added event belongs to what existed when the informer or the subscription started.
	Initial bool
	// FinalStateUnknown says that the deletion itself was not seen: Object may be older than the state that was deleted.
	FinalStateUnknown bool
	// Resync says that the subscriber knew the resource version of an Updated event's object: the event is part of a resync
	// that it asked for, or what [Config.NotifyUnchanged] asks for.
	Resync bool
	// NewEpoch says that the event is one of those by which the cache follows a server whose resource versions have gone back,
	// as after a restore from a backup: what was seen before may never have happened, and Object's version may be lower.
	NewEpoch bool
}
