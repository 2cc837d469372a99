package cache

// A Sink takes what a [Reflector] reads, from one goroutine. A sink that has the Get of [Known], too, saves the Reflector the
// decoding of objects that are known in the same version.
type Sink[T Object] interface {
	// Replace states everything there is at a moment.
	Replace(state State[T])
	Add(obj T)
	Update(obj T)
	// Delete states a deletion with the object's final state.
	Delete(obj T)
	// Isolate states a change of an object, or by its type a deletion, that could not be decoded.
	Isolate(change *UndecodableError)
	// Bookmark states that nothing else happened up to the resource version.
	Bookmark(resourceVersion string)
}

// A preparer is a [Sink] that makes other objects of those that come, in the way of usable, and takes states of which that
// was done already. So of a long list only what is kept of the objects is in memory, and not all of them as they came.
type preparer[T Object] interface {
	usable(obj T) (T, error)
}

// A State is everything there is on the server at a moment. Who gets it owns the slices.
type State[T Object] struct {
	Items           []T
	Undecodable     []*UndecodableError // exist too
	ResourceVersion string
	// Unidentified says that something else exists of which not even the key is known: any object that is missing may be that.
	Unidentified bool
	// NewEpoch says that the server's resource versions have gone back, so that the items are newer than what was known,
	// whatever their versions.
	NewEpoch bool

	epochKnown bool // this was found before, in another namespace
	prepared   bool // the items are what the preparer made of them; those that it could not use are among the Undecodable
}
