package clientgo

import (
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	engine "github.com/sluice-k8s/sluice/pkg/cache"
)

// A Quarantine tells what is missing in a store because a function failed for it. All stores of this package are one.
type Quarantine interface {
	// Quarantined returns the objects that an index does not hold and, of an informer's store, those that could not be
	// transformed, ordered by index and key.
	Quarantined() []engine.Quarantined
}

// contents is what all stores have in common: objects by key, with the methods of client-go's stores that have to do with
// neither keys nor objects. All methods may be called concurrently.
type contents struct {
	indexes

	write   func(engine.Batch[*object])
	metrics *metrics
}

var _ Quarantine = (*contents)(nil)

// newContents returns empty contents that nothing but the store's users writes to.
func newContents(indexers cache.Indexers) *contents {
	indexer := engine.NewIndexer[*object]()
	return newContentsOf(indexer, func(batch engine.Batch[*object]) { indexer.Apply(batch) }, indexers, nil)
}

// newContentsOf returns the contents of an indexer that users write to by write.
func newContentsOf(
	indexer *engine.Indexer[*object], write func(engine.Batch[*object]), indexers cache.Indexers, metrics *metrics,
) *contents {
	c := &contents{indexes: indexes{indexer: indexer}, write: write, metrics: metrics}
	c.addAll(indexers)
	return c
}

// get returns the object with the key, and whether there is one, which may be nil.
func (c *contents) get(key string) (value any, exists bool) {
	o, exists := c.indexer.Get(parseKey(key))
	if !exists {
		return nil, false
	}
	return o.value(), true
}

// put adds or replaces an object.
func (c *contents) put(key types.NamespacedName, value any) {
	c.applyOne(engine.DeltaUpdated, newObject(key, value))
}

// remove removes the object with the key, if there is one. final is its last state, if that is known.
func (c *contents) remove(key types.NamespacedName, final any) {
	c.applyOne(engine.DeltaDeleted, newObject(key, final))
}

func (c *contents) applyOne(change engine.DeltaType, o *object) {
	c.apply(engine.Batch[*object]{
		Deltas:          []engine.Delta[*object]{{Type: change, Object: o}},
		ResourceVersion: o.version,
	})
}

// replace makes objects all there are.
func (c *contents) replace(objects []*object, version string) {
	c.apply(engine.Batch[*object]{Replaced: true, Items: objects, ResourceVersion: version})
}

// transact does several writes as one. The version of the last object counts.
func (c *contents) transact(deltas []engine.Delta[*object]) {
	if len(deltas) == 0 {
		return
	}
	c.apply(engine.Batch[*object]{Deltas: deltas, ResourceVersion: deltas[len(deltas)-1].Object.version})
}

func (c *contents) apply(batch engine.Batch[*object]) {
	batch.AnyVersion = true
	c.write(batch)
	c.metrics.reached(batch.ResourceVersion)
}

// deltaOf returns a transaction of client-go as the engine has it.
func deltaOf(key string, transaction cache.Transaction) engine.Delta[*object] {
	change := engine.DeltaUpdated
	if transaction.Type == cache.TransactionTypeDelete {
		change = engine.DeltaDeleted
	}
	return engine.Delta[*object]{Type: change, Object: newObject(parseKey(key), transaction.Object)}
}

// List returns all objects.
func (c *contents) List() []any {
	snapshot := c.indexer.Snapshot()
	list := make([]any, 0, snapshot.Len())
	for chunk := range snapshot.Chunks() {
		for _, o := range chunk {
			list = append(list, o.value())
		}
	}
	return list
}

// ListKeys returns the keys of all objects.
func (c *contents) ListKeys() []string {
	snapshot := c.indexer.Snapshot()
	keys, joined := make([]string, 0, snapshot.Len()), joiner{left: snapshot.Len()}
	for chunk := range snapshot.Chunks() {
		for _, o := range chunk {
			keys = append(keys, joined.join(o.key))
		}
	}
	return keys
}

// Quarantined implements [Quarantine].
func (c *contents) Quarantined() []engine.Quarantined { return c.indexer.Quarantined() }

// LastStoreSyncResourceVersion returns the version of what was written last.
func (c *contents) LastStoreSyncResourceVersion() string { return c.indexer.ResourceVersion() }

// Bookmark sets the version.
func (c *contents) Bookmark(version string) {
	c.apply(engine.Batch[*object]{ResourceVersion: version})
}

// Resync does nothing.
func (c *contents) Resync() error { return nil }
