// Package condition changes the conditions in the status of an object, by the rules of the API:
//
//   - lastTransitionTime changes with the status of a condition, and with nothing else;
//   - observedGeneration says of which generation of the object it tells;
//   - types are unique, and conditions keep their order;
//   - what the API server would refuse does not get into the status.
//
// All functions work on the slice of a typed status, for instance &crontab.Status.Conditions; for unstructured objects see
// [Of] and [Store]. They leave the items of a slice that they are given alone: it may be shared with a cached object. None of
// them reads a clock.
package condition
