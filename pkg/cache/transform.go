package cache

// A Transform changes an object before it is cached, for instance to drop what nobody reads. It owns the object that it
// gets and may change it, or return another with the same namespace, name, UID and resource version. Package transform has
// the usual ones.
//
// An object for which it returns an error, or panics, is not cached in that version; see [Indexer.Quarantined].
type Transform[T Object] func(obj T) (T, error)
