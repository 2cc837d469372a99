// Package cachetest finds those who change cached objects, which are shared by all who read them.
//
// A [MutationDetector] remembers hashes of each object when it enters the cache, and looks at them again: right after
// each handler that was given the object ([MutationDetector.Handler]), and whenever a test asks ([MutationDetector.Audit]).
//
//	detector := cachetest.DetectMutations[*corev1.Pod](t)
//	// … a cache with the transform detector.Transform(), as the last of its chain
//	informer.Subscribe("controller", detector.Handler("controller", handle))
//
// It finds every change of a value that is reachable from the object: also in unexported fields, of the length of a list,
// of nil to empty, and of what one object shares with others, which is then reported for each of them.
//
// It does not find
//
//   - a change that was undone before anybody looked;
//   - a change of an object that was garbage before anybody looked: objects are held weakly;
//   - writes of the same value, which the race detector may find;
//   - writes that the object's type makes itself when it is read, as resource.Quantity does, which keeps its text: of
//     quantities and times the values are compared, of messages of google.golang.org/protobuf the exported fields;
//   - what functions, channels and pointers into a cycle lead to;
//   - changes of an object that did not go through the transform.
//
// A handler is named if the object was whole before it and was not after it. If others had the object at the same time,
// all are named: one of them did it. A write by a goroutine that a handler has started is found by a later look, which
// may name a handler that is innocent, or nobody. Reports say where an object was changed and never what was there, since
// it could be a Secret; keys of maps are part of where.
//
// Objects are hashed at each look, by reflection, which takes about 50 µs for a small pod (BenchmarkTransform). It is made
// for tests. Looking reads the object; where somebody writes at that time the race detector says so, too.
package cachetest
