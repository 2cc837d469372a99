// Package structure finds equal parts of Go values, of API objects above all, and lets them share one copy.
//
// A [Sharer] compiles one plan for a type by reflection, as encoding/json compiles its encoders, and walks values by that
// plan: a part is a slice, a map, or what a pointer points at. The walk has two passes.
//
//  1. hash computes a hash for every part, each from those of the parts within, and records them in the order of the walk.
//  2. share goes the same way again. A part whose hash is in the table, and which equals what is there, is replaced by
//     that, and what is within is passed over; another part goes into the table after what is within was shared.
//
// The hash only finds the candidate: nothing is shared that was not compared. Equal means identical to every reader: nil
// and empty differ, quantities must be written alike, times must be in the same location.
//
// What the plan does not understand is left alone, and so is each part that contains it: structs with unexported fields
// (other than [time.Time] and [resource.Quantity]), arrays, functions, channels, interfaces that hold anything but JSON
// values, and what is nested deeper than maxDepth.
//
// The walk reads and writes through unsafe pointers at the offsets that reflection gave, always as the type that is
// there, or as one with the same layout (a named string as a string, a map of named strings as a map of strings).
package structure
