// Package factory shares informers among all who want the same objects, over any number of API servers, and runs them.
//
// # What it guarantees
//
//   - One informer for what is asked for alike: the same cluster, resource, namespaces, selectors and variant, see
//     [Identity]. Anything else is another one; what contradicts is an error ([ErrConflict]).
//   - Informers come and go one by one, at any time. The first [Acquire] makes one, the last [Lease.Release] stops it and
//     waits until nothing of it runs any more. Who asks then gets a new one, which begins with a list.
//   - They are independent: one that can't start, because its resource does not exist or may not be read, holds up nobody.
//     It goes on trying, and [Factory.WaitForSync] and [Factory.Ready] say what is wrong with which.
//   - No goroutine outlives [Factory.Run], and none exists before. There are no globals.
//
// # When one may ask
//
//   - Before Run, informers are made, and can be subscribed to, and read nothing yet. One that is released then has ended:
//     those who wait for it get [cache.ErrStopped].
//   - During Run an informer reads from when it is acquired.
//   - After the context of Run is done, and of a cluster after [Cluster.Stop], Acquire returns [cache.ErrStopped]. Leases that
//     are left do no harm: what was read last stays in their informers, and releasing them returns at once.
//
// # Namespaces that change
//
// To change the namespaces of a shared informer changes what others see. Therefore those of [Options.Namespaces] never
// change, and are part of what informers are shared by. Namespaces that are to change are a [Scope], which has a name and is
// what informers are shared by instead: all who acquire with it see the change, at the same time in all types and clusters.
// What a single holder wants changed for itself is a scope of its own.
package factory
