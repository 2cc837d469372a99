// Package store holds objects by key and by any number of indexes, in snapshots: every read runs on one version of
// everything, which never changes, and takes no lock. Writes are transactions that make the next version and publish it at
// once.
//
// Each object has a number, its slot. The slots are dense: when an object goes, the last one takes its slot.
//
//	key ──hash──▶ slot ──▶ object                  a Table and a Vector
//	value ──hash──▶ posting: value and its slots   a Table with a Bag for each value, one for each index
//
// So an update of an object whose index values stay changes the Vector and nothing else, and not at once: updates wait
// beside the snapshot's content until somebody reads it or there are many, and are put in together.
//
// Most reads want one object of the latest snapshot. They find it in a table that is changed in place, which has the text of
// each key beside the object, so that a get waits for memory twice at most: for the place in the table, and for text and
// object at once. With the object is the number of its transaction, so that a reader knows one that is newer than the
// snapshot it began with, and takes the way above.
//
// Most look-ups want the objects of a value that was looked up before and has not changed. Beside the posting, shared by all
// its versions, those objects are gathered in a slice. It carries the number of its snapshot, and the writer notes that of
// each transaction that changes one of them, so that a reader knows whether the slice is as its own snapshot is.
//
// What only the writer needs is not in the snapshots: the values of each object and its place among their slots, so that
// index functions need not run again on what is replaced; and a stamp of each object, so that its successor can be compared
// with it without a look at it.
package store
