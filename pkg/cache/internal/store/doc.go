// Package store holds objects by key and by any number of indexes, in snapshots: every read runs on one version of
// everything, which never changes, and takes no lock. Writes are transactions that make the next version and publish it at
// once.
//
// Each object has a number, its slot. The slots are dense: when an object goes, the last one takes its slot.
//
//	key ──hash──▶ slot ──▶ object                  a Table and a Vector
//	value ──hash──▶ posting: value and its slots   a Table with a Bag for each value, one for each index
//
// So an update of an object whose index values stay changes the Vector and nothing else.
//
// What only the writer needs is not in the snapshots: the values of each object and its place among their slots, so that
// index functions need not run again on what is replaced.
package store
