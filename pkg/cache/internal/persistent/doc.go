// Package persistent has the data structures that the cache's snapshots are made of. Their values are versions: a copy of
// one stays as it is, whatever happens to the other, and both share what they have in common.
//
// Changes are made by one writer, for an [Owner]. A node that the owner made itself is changed in place, every other is
// copied first. So a transaction that changes many elements copies each node at most once, and one that changes a single
// element copies the few nodes on the way to it.
//
//	Vector   elements by number: a tree of nodes, each with 16 children
//	Bag      numbers in no order: a slice while there are few, else a Vector
//	Table    items by hash: linear hashing, its buckets in a Vector
//	Ordered  strings in order: a treap
//
// A version may be read concurrently, also while the writer makes the next one. Versions have one line of history: the
// writer must go on from the latest one, since growing slices are shared between a version and the next.
package persistent
