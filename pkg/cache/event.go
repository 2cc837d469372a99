package cache

import "k8s.io/apimachinery/pkg/types"

// An EventType says what happened to a cached object.
type EventType string

// The types of events.
const (
	Added   EventType = "Added"
	Updated EventType = "Updated"
	Deleted EventType = "Deleted"
)

// An Event is a change of one object in the cache, compared with what the subscriber saw before. Its objects are shared
// with the cache and must not be changed.
type Event[T Object] struct {
	Type EventType
	Key  types.NamespacedName

	// Object is the new state; in a Deleted event the last known one.
	Object T
	// Old is the state before an Updated event, else nil.
	Old T

	// Initial says that an Added event belongs to what existed when the informer or the subscription started.
	Initial bool
	// FinalStateUnknown says that the deletion itself was not seen: Object may be older than the state that was deleted.
	FinalStateUnknown bool
}
