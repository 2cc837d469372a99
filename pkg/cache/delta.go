package cache

import "fmt"

// A DeltaType says which operation of the [DeltaFIFO] made a delta.
type DeltaType uint8

// The types of deltas.
const (
	DeltaAdded DeltaType = iota + 1
	DeltaUpdated
	DeltaDeleted
)

func (t DeltaType) String() string {
	switch t {
	case DeltaAdded:
		return "Added"
	case DeltaUpdated:
		return "Updated"
	case DeltaDeleted:
		return "Deleted"
	default:
		return fmt.Sprintf("DeltaType(%d)", uint8(t))
	}
}

// A Delta is a change of one object as the server reported it.
type Delta[T Object] struct {
	Type   DeltaType
	Object T // the new state; of a deletion the last known one

	// FinalStateUnknown marks a deletion whose object is not the final state.
	FinalStateUnknown bool

	// late says that the stream was past the object's version already.
	late bool
}

// A Batch is everything that waited in a [DeltaFIFO], to be applied as one transaction: first the replacement, if there is
// one, then the deltas in order.
type Batch[T Object] struct {
	// Replaced says that Items are all objects there were at a moment, in the Namespace, or in all if that is empty.
	Replaced     bool
	Namespace    string
	Items        []T
	unidentified bool       // something else exists, so that what is missing stays
	kept         []Identity // exist too, but in no usable state: what is there of them stays
	// NewEpoch says that the server's resource versions have gone back before the replacement, as after a restore from
	// a backup: the items are newer than what is known, whatever their versions.
	NewEpoch bool
	// epochKnown says that this was found before, in another namespace.
	epochKnown bool

	Deltas  []Delta[T]
	refused int // older deltas, which were left out

	// AnyVersion says that items and deltas count whatever their versions, as what is written by hand does.
	AnyVersion bool

	// Resync asks that subscribers be told of everything again.
	Resync bool
	// ResourceVersion is the version of the stream after the batch; empty when it did not change.
	ResourceVersion string
}
