// Package transform has the usual transforms of objects on their way into a cache. They make it smaller:
//
//	transform.Chain(
//		transform.StripManagedFields[*corev1.Pod](),
//		transform.StripAnnotations[*corev1.Pod](corev1.LastAppliedConfigAnnotation),
//		transform.Share[*corev1.Pod](),
//	)
//
// Each works for typed objects, *unstructured.Unstructured and *metav1.PartialObjectMetadata, may be called concurrently,
// and may serve several informers, which then share with each other what [Share] and [Intern] remember. One that can do
// nothing for a type of object returns [ErrUnsupported] for each; none panics.
//
// # Sharing
//
// Cached objects are not changed, so equal parts of them can be one: the containers of pods of one Deployment, the
// tolerations of all pods. [Share] replaces each slice, map and pointer target below an object by an equal one that it has
// seen, after having compared them. What it could not replace gets at least its strings replaced, as [Intern] does for all.
// Fields keep their values: whoever reads the object sees no difference.
//
// Share comes last in a chain, but for a transform that only reads. What comes after it would write to what other objects
// hold as well, as would a handler that changes a cached object; package cachetest finds those. Whatever [Share] and
// [Intern] are given must belong to the caller alone.
//
// 20 000 pods of 200 workloads, decoded from JSON, take so many bytes of heap each (BenchmarkHeap):
//
//	                             raw   stripped   interned   shared
//	created, 3.9 KB of JSON     9961       9024       7926     1444
//	the same, unstructured         -      18544      14725     1261
//	running, 5.6 KB of JSON    12424      11520       9957     4267
//
// A running pod shares less: the volume of its service account's token has a name of its own, so the slices that hold this
// name are its own, too, with all containers and volumes. Share takes as much time as one to one and a half deep copies of
// the object (BenchmarkShare, BenchmarkDeepCopy), and in steady state it allocates nothing.
//
// # Memory
//
// Share and Intern remember up to 16 384 parts and as many strings of up to 256 bytes, whatever the number of objects. The
// tables begin small and grow to 1.2 MB, for unstructured objects to 1.7 MB, beside what is remembered itself. That stays
// alive although no cached object holds it any more: for one to two periods, of which each ends when 16 384 others have
// come or 262 144 objects were transformed; and of each field of a struct the string that was there last. That includes
// the parts of Secrets. Weak pointers would not keep it alive, but each costs as much memory as a small part, and more
// time than looking for one (BenchmarkWeak in package structure), for the many parts that no other object has.
//
// # Quantities
//
// A [resource.Quantity] is not quite read-only: its String method keeps the text that it made, so two goroutines that call
// it on one quantity race, and with sharing also if they do so for two objects. Share calls String on every quantity that
// has an address before anybody else sees it, after which String only reads. (Quantities in maps have no address; their
// readers have copies.) AsDec, and comparisons with a quantity beyond 64 bits, still write: copy a quantity before.
package transform
