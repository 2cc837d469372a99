// Package owner makes one object the controller of another, and says whether it is.
//
// The API server deletes what an object controls after the object itself, and controller.Owns leads from a child to its
// parent. A child has at most one controller; it is in the namespace of its parent, unless that has none. References are
// compared by UID: an object that was deleted and made again is another one.
package owner
