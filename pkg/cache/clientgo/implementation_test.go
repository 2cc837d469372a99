package clientgo_test

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/sluice-k8s/sluice/hack/controlplane/controlplanetest"
	"github.com/sluice-k8s/sluice/pkg/cache/clientgo"
)

// The contract of client-go's caches, as its documentation states it and its users rely on it, is the tests named
// TestContract…. They run against every implementation below: what client-go's own code passes, a drop-in has to pass.

func TestMain(m *testing.M) {
	// The handlers that are there by default sleep until a time outside the bubble of a synctest, which is decades away.
	utilruntime.ErrorHandlers = nil
	utilruntime.PanicHandlers = nil
	klog.SetLogger(klog.Logger{})
	os.Exit(controlplanetest.RunCheckingLeaks(m))
}

// An implementation is one set of constructors, and where it is known to fall short.
type implementation struct {
	name string

	newStore           func(cache.KeyFunc) cache.Store
	newIndexer         func(cache.KeyFunc, cache.Indexers) cache.Indexer
	newThreadSafeStore func(cache.Indexers, cache.Indices) cache.ThreadSafeStore

	newSharedInformer      func(cache.ListerWatcher, runtime.Object, time.Duration) cache.SharedInformer
	newSharedIndexInformer func(cache.ListerWatcher, runtime.Object, time.Duration, cache.Indexers) cache.SharedIndexInformer

	newSharedIndexInformerWithOptions func(
		cache.ListerWatcher, runtime.Object, cache.SharedIndexInformerOptions,
	) cache.SharedIndexInformer

	newInformer func(
		cache.ListerWatcher, runtime.Object, time.Duration, cache.ResourceEventHandler,
	) (cache.Store, cache.Controller)

	newIndexerInformer func(
		cache.ListerWatcher, runtime.Object, time.Duration, cache.ResourceEventHandler, cache.Indexers,
	) (cache.Indexer, cache.Controller)

	newInformerWithOptions func(cache.InformerOptions) (cache.Store, cache.Controller)

	defects defects
}

// Defects are known ones. The zero value, none, is what Sluice promises; a scenario that meets one of them states both
// behaviours.
type defects struct {
	// indexErrorPanics: a write panics when an index function returns an error, and leaves the object half indexed. Without
	// it the object is stored and is missing from that index only.
	indexErrorPanics bool
	// indexersShared: AddIndexers writes into the map that the constructor was given, and GetIndexers returns it. Without it
	// both are copies.
	indexersShared bool
	// nilIndexersPanic: AddIndexers panics when the constructor was given no Indexers.
	nilIndexersPanic bool
	// versionForgotten: an object without resource version resets the version of the store. Without it such an object tells
	// nothing about the version.
	versionForgotten bool

	// transformErrorFailsList: one object whose transform fails keeps a whole list out of the cache. Without it only that
	// object is missing.
	transformErrorFailsList bool
	// transformRunsTwice: a transform sees an object that was streamed as initial twice. Without it, once.
	transformRunsTwice bool
	// streamErrorsUnreported: an error within a watch, such as 410 Gone, does not reach the watch error handler.
	streamErrorsUnreported bool
	// recreationMerged: an object that was deleted and created again while nobody watched is one update. Without it, a
	// deletion and an addition.
	recreationMerged bool
	// unknownDeleted: the deletion of an object that is not in the cache is delivered. Without it, nothing is.
	unknownDeleted bool
	// panicLosesSync: a handler that panicked on an initial object never syncs.
	panicLosesSync bool
	// panicLosesEvent: what a handler panicked at is not told again. Without it, it is.
	panicLosesEvent bool
}

// ClientGo is the original.
func clientGo() implementation {
	return implementation{
		name:                              "client-go",
		newStore:                          func(key cache.KeyFunc) cache.Store { return cache.NewStore(key) },
		newIndexer:                        newClientGoIndexer,
		newThreadSafeStore:                newClientGoThreadSafeStore,
		newSharedInformer:                 cache.NewSharedInformer,
		newSharedIndexInformer:            cache.NewSharedIndexInformer,
		newSharedIndexInformerWithOptions: cache.NewSharedIndexInformerWithOptions,
		newInformer:                       cache.NewInformer,        //nolint:staticcheck // deprecated, and part of the drop-in
		newIndexerInformer:                cache.NewIndexerInformer, //nolint:staticcheck // likewise
		newInformerWithOptions:            cache.NewInformerWithOptions,
		defects: defects{
			indexErrorPanics: true, indexersShared: true, nilIndexersPanic: true, versionForgotten: true,
			transformErrorFailsList: true, transformRunsTwice: true, streamErrorsUnreported: true,
			recreationMerged: true, unknownDeleted: true, panicLosesSync: true,
			panicLosesEvent: true,
		},
	}
}

// Sluice is the drop-in.
func sluice() implementation {
	return implementation{
		name:                              "sluice",
		newStore:                          clientgo.NewStore,
		newIndexer:                        clientgo.NewIndexer,
		newThreadSafeStore:                clientgo.NewThreadSafeStore,
		newSharedInformer:                 clientgo.NewSharedInformer,
		newSharedIndexInformer:            clientgo.NewSharedIndexInformer,
		newSharedIndexInformerWithOptions: clientgo.NewSharedIndexInformerWithOptions,
		newInformer:                       clientgo.NewInformer,
		newIndexerInformer:                clientgo.NewIndexerInformer,
		newInformerWithOptions:            clientgo.NewInformerWithOptions,
	}
}

func newClientGoIndexer(key cache.KeyFunc, indexers cache.Indexers) cache.Indexer {
	return cache.NewIndexer(key, indexers)
}

func newClientGoThreadSafeStore(indexers cache.Indexers, indices cache.Indices) cache.ThreadSafeStore {
	return cache.NewThreadSafeStore(indexers, indices)
}

// Implementations are what the contract is tested against.
func implementations() []implementation {
	return []implementation{clientGo(), sluice()}
}

// A scene is where a scenario plays: a test, an implementation, and a feed.
type scene struct {
	*testing.T
	implementation

	// newSource returns a source that is listed, or one that is streamed.
	newSource func(...*corev1.Pod) *source
}

// A tester is what checks need of a test.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// ForEach runs a scenario without goroutines against every implementation.
func forEach(t *testing.T, scenario func(t *scene)) {
	t.Helper()
	for _, impl := range implementations() {
		t.Run(impl.name, func(t *testing.T) { scenario(&scene{t, impl, newSource}) })
	}
}

// ForEachLive runs a scenario against every implementation in a bubble of fake time. The context of the test ends when the
// scenario returns, and everything that was started under it has to end too.
func forEachLive(t *testing.T, scenario func(t *scene)) {
	t.Helper()
	for _, impl := range implementations() {
		t.Run(impl.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { scenario(&scene{t, impl, newSource}) })
		})
	}
}

// ForEachFeed runs a scenario against every implementation and both ways in which an informer gets its initial objects.
func forEachFeed(t *testing.T, scenario func(t *scene)) {
	t.Helper()
	t.Run("list", func(t *testing.T) { forEachLive(t, scenario) })
	t.Run("stream", func(t *testing.T) {
		forEachLive(t, func(t *scene) { scenario(&scene{t.T, t.implementation, newStreamingSource}) })
	})
}

// ForEachStore runs a scenario against every way to make an empty store of an implementation.
func forEachStore(t *testing.T, scenario func(t *scene, store cache.Store)) {
	t.Helper()
	for name, newStore := range map[string]func(implementation) cache.Store{
		"store":   func(impl implementation) cache.Store { return impl.newStore(cache.MetaNamespaceKeyFunc) },
		"indexer": func(impl implementation) cache.Store { return newPodIndexer(impl) },
		"informer": func(impl implementation) cache.Store {
			return impl.newSharedInformer(newSource(), &corev1.Pod{}, 0).GetStore()
		},
	} {
		t.Run(name, func(t *testing.T) {
			forEach(t, func(t *scene) { scenario(t, newStore(t.implementation)) })
		})
	}
}
