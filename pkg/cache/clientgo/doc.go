// Package clientgo has the constructors of client-go's package cache with Sluice's engine behind them, so that controllers,
// factories and listers that know client-go's interfaces run on it unchanged.
//
// It guarantees what client-go documents of the interfaces it implements, and beyond that:
//
//   - Readers and writers of a store never wait for each other. Each query runs on one snapshot, of objects and all indexes.
//   - A handler that is slow costs memory for the objects that have changed, not for each change: states in between are left
//     out. Its last state, and a deletion that was followed by a creation, are not.
//   - An index function or a transform that fails or panics for one object keeps that object out of the index or, in that
//     version, out of the store. Nothing else is affected, and it is tried again at the object's next version. Stores tell
//     which objects these are: see [Quarantine].
//   - Versions of an object never go back, unless the server's do.
//
// # Where it differs
//
//   - A handler that panics does not end the process, whatever [k8s.io/apimachinery/pkg/util/runtime.ReallyCrash] says: see
//     [github.com/sluice-k8s/sluice/pkg/cache.Handler]. It is called with the event again, after a second at first. A handler
//     whose calls must not be repeated has to recover by itself.
//   - An object that was deleted and created again is a deletion and an addition also when only a relist shows it. In
//     client-go it is one update.
//   - Handlers are not told of the deletion of an object that is not in the store.
//   - An object without a resource version leaves that of the store as it is. So do Replace and Bookmark with an empty one.
//   - Watch error handlers are told the errors within a watch too, such as 410 Gone, and of every request that fails. The
//     [cache.Reflector] that they get has the name, the type and the version of what they are told about, and does nothing.
//   - A relist tells all handlers of all objects, the unchanged ones included, whether or not they ask for resyncs.
//   - Resyncs come at the period that was granted, not at the next multiple of the shortest one. They count from the time
//     when the handler was added.
//   - A change or a deletion that is reported in an older version than the one in the store, which the server has sent or a
//     user has written, is taken for outdated and dropped. Fakes whose versions go back do not work therefore; objects
//     without versions do.
//   - Handlers that are added between Run and the first list are told of everything with that list.
//   - A transform decides on the object that is cached, not on its key, UID and version: the engine goes by those that the
//     server sent.
//   - Informers list and watch; they do not stream lists yet. The first list asks for the most recent version, where
//     client-go takes any that the server has cached, and each list is read in pages of 500 objects.
//   - Run waits for the request that it is in. A ListerWatcher that neither heeds its context nor returns holds it up, also
//     in List, where client-go would leave it behind.
//   - IsStopped is true from the end of the context on, not only when nothing is read any more.
//   - The handler of NewInformer and its like runs beside the store, as those of shared informers do: when it is called, the
//     store may hold newer states.
//   - LastSyncResourceVersion tells what was read last, also the version of a list of which pages are to come.
//   - A handler that was removed is told nothing any more, not even what had been waiting for it.
//   - Objects without a name, as no server sends them, are skipped.
//
// # What is missing
//
//   - The options of NewStore and NewThreadSafeStore, which take types that client-go does not export.
//   - NewTransformingInformer and NewTransformingIndexerInformer, which client-go deprecates: NewInformerWithOptions has a
//     transform.
//   - The metrics provider that [cache.SetInformerMetricsProvider] sets for the process: it cannot be read. Give one in the
//     options; otherwise there are no metrics.
//   - [cache.New] with a Config, and all else that runs on a Queue of the caller's.
//   - The factories of packages dynamicinformer and metadatainformer, which call client-go's constructors directly. The
//     constructors here take their objects.
//
// Objects in a store are shared: nobody may change them.
package clientgo
