package cache

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-k8s/sluice/pkg/cache/internal/store"
)

// Apply changes the Indexer by the batch as one transaction and returns what changed, in order. It keeps no slice of the
// batch.
//
// Of a state whose resource version is there already nothing changes: the object that is cached stays. A state or
// deletion that is older than the cached object is refused and counted, see [Indexer.Refused], except in a new epoch and
// where any version counts. An object that has taken the place of another, as its UID tells, is a deletion, with an unknown
// final state, and an addition.
func (i *Indexer[T]) Apply(batch Batch[T]) []Event[T] {
	events := i.transact(&batch)
	i.waiters.advance(batch.ResourceVersion)
	return events
}

// transact applies a batch. Its version becomes that of the store when all of it is applied.
func (i *Indexer[T]) transact(batch *Batch[T]) []Event[T] {
	a := applying[T]{indexer: i, tx: i.store.Begin(), anyVersion: batch.AnyVersion}
	defer a.tx.Commit()
	if batch.Replaced {
		a.newEpoch, a.relisting, a.unidentified = batch.NewEpoch, true, batch.unidentified
		if batch.Namespace == "" {
			a.replace(batch.Items, batch.kept)
		} else {
			a.replaceNamespace(batch)
		}
		a.newEpoch, a.relisting = false, false
	}
	i.refused.Add(int64(batch.refused))
	a.applyAll(batch.Deltas)
	if batch.NewEpoch && !batch.epochKnown {
		i.waiters.fail(ErrNewEpoch)
	}
	v := batch.ResourceVersion
	if batch.NewEpoch || v != "" && (batch.AnyVersion || !older(v, a.tx.Version())) {
		a.tx.SetVersion(v)
	}
	return a.events
}

// Add adds or replaces objects, whatever their versions: for tests, and where no [Informer] does it (of an informer's indexer
// use [Informer.Write]). The newest of their versions becomes the resource version, if it is newer.
func (i *Indexer[T]) Add(objects ...T) { i.force(DeltaAdded, objects) }

// Delete removes the objects that have the keys of these, whatever their versions: for tests, and where no [Informer] does
// it.
func (i *Indexer[T]) Delete(objects ...T) { i.force(DeltaDeleted, objects) }

func (i *Indexer[T]) force(change DeltaType, objects []T) {
	batch := Batch[T]{AnyVersion: true, ResourceVersion: i.ResourceVersion()}
	for _, obj := range objects {
		batch.Deltas = append(batch.Deltas, Delta[T]{Type: change, Object: obj})
		if version := obj.GetResourceVersion(); batch.ResourceVersion == "" || older(batch.ResourceVersion, version) {
			batch.ResourceVersion = version
		}
	}
	i.Apply(batch)
}

// applying is a batch that is being applied.
type applying[T Object] struct {
	indexer      *Indexer[T]
	tx           *store.Transaction[types.NamespacedName, T]
	events       []Event[T]
	relisting    bool // the replacement is being applied
	newEpoch     bool // and it begins a new epoch
	unidentified bool // and something in it may be any object
	anyVersion   bool // versions do not count
}

func (a *applying[T]) applyAll(deltas []Delta[T]) {
	if a.events == nil && len(deltas) > 0 {
		a.events = make([]Event[T], 0, len(deltas))
	}
	for _, delta := range deltas {
		a.apply(delta)
	}
}

func (a *applying[T]) apply(delta Delta[T]) {
	key := KeyOf(delta.Object)
	old, at := a.tx.Find(key)
	if delta.Type == DeltaDeleted {
		a.delete(delta, key, old, at)
		return
	}
	if delta.late && !at.Exists() { // its deletion has been here
		a.indexer.refused.Add(1)
		return
	}
	a.put(delta.Object, key, old, at)
}

// put makes obj the object of its key, where old is now, if any.
func (a *applying[T]) put(obj T, key types.NamespacedName, old T, at store.Place[T]) {
	stamp := stampOf(obj)
	if !at.Exists() {
		a.accept(Event[T]{Type: Added, Key: key, Object: obj}, at, stamp)
		return
	}
	switch c := compare(obj, stamp, old, at.Stamp()); {
	case c.older && a.refuses(key):
	case !c.sameUID:
		a.events = append(a.events, Event[T]{Type: Deleted, Key: key, Object: old, FinalStateUnknown: true, NewEpoch: a.newEpoch})
		a.accept(Event[T]{Type: Added, Key: key, Object: obj}, at, stamp)
	case c.sameVersion && !a.incomparable(key):
		a.same(Event[T]{Type: Updated, Key: key, Object: obj, Old: old}, at, stamp)
	default:
		a.accept(Event[T]{Type: Updated, Key: key, Object: obj, Old: old}, at, stamp)
	}
}

func (a *applying[T]) accept(event Event[T], at store.Place[T], stamp store.Stamp) {
	event.NewEpoch = a.newEpoch
	a.events = append(a.events, event)
	a.tx.PutStamped(at, event.Object, stamp)
	delete(a.indexer.outlived, event.Key)
}

// same is put for a version that is there already. Of those who want to hear of that, client-go's fake clientsets may have
// changed the object all the same, a relist has not.
func (a *applying[T]) same(event Event[T], at store.Place[T], stamp store.Stamp) {
	if !a.indexer.unchanged {
		return
	}
	event.Resync = true
	if a.relisting {
		event.Object = event.Old
	} else {
		a.tx.PutStamped(at, event.Object, stamp)
	}
	a.events = append(a.events, event)
}

func (a *applying[T]) delete(delta Delta[T], key types.NamespacedName, old T, at store.Place[T]) {
	if !at.Exists() {
		return
	}
	c := compare(delta.Object, stampOf(delta.Object), old, at.Stamp())
	if c.older && a.refuses(key) {
		return
	}
	event := Event[T]{Type: Deleted, Key: key, Object: delta.Object, FinalStateUnknown: delta.FinalStateUnknown}
	if !c.sameUID { // gone before; its successor came and went unseen
		event.FinalStateUnknown = true
	}
	if event.FinalStateUnknown {
		event.Object = old
	}
	a.remove(event, at)
}

func (a *applying[T]) remove(event Event[T], at store.Place[T]) {
	event.NewEpoch = a.newEpoch
	a.events = append(a.events, event)
	a.tx.Delete(at)
	delete(a.indexer.outlived, event.Key)
}

// refuses says whether what is older than what is there is refused, and counts it.
func (a *applying[T]) refuses(key types.NamespacedName) bool {
	if a.incomparable(key) {
		return false
	}
	a.indexer.refused.Add(1)
	return true
}

// incomparable says whether what is there is of an epoch before, so that its version means nothing.
func (a *applying[T]) incomparable(key types.NamespacedName) bool {
	_, outlived := a.indexer.outlived[key]
	return outlived || a.newEpoch || a.anyVersion
}

// replace puts all items and deletes the objects that are neither among them nor kept.
func (a *applying[T]) replace(items []T, kept []Identity) {
	before := a.tx.Len()
	if before == 0 {
		a.events = make([]Event[T], 0, len(items))
	}
	seen := make([]bool, before) // by slot
	var keys [store.Ahead]types.NamespacedName
	for n, item := range items {
		if n%len(keys) == 0 {
			a.prefetch(items[n:min(n+len(keys), len(items))], &keys)
		}
		if len(a.events) == cap(a.events) && len(a.events) >= unmerged { // most of it is news
			a.events = slices.Grow(a.events, len(items)-n)
		}
		key := keys[n%len(keys)]
		old, at := a.tx.Find(key)
		if at.Exists() && at.Slot() < before {
			seen[at.Slot()] = true
		}
		a.put(item, key, old, at)
	}
	for _, id := range kept {
		if old, at := a.tx.Find(id.Key); at.Exists() && at.Slot() < before && old.GetUID() == id.UID {
			seen[at.Slot()] = true
			a.outlive(id.Key)
		}
	}
	// From the last one on: what moves into the slot of a deleted object is not to be deleted.
	for slot := before - 1; slot >= 0; slot-- {
		if !seen[slot] {
			a.miss(a.tx.At(slot), a.tx.PlaceOf(slot))
		}
	}
}

// miss removes an object that is not in the list, unless it may be what could not be identified there.
func (a *applying[T]) miss(obj T, at store.Place[T]) {
	key := KeyOf(obj)
	if a.unidentified {
		a.outlive(key)
		return
	}
	a.remove(Event[T]{Type: Deleted, Key: key, Object: obj, FinalStateUnknown: true}, at)
}

// prefetch returns the keys of the next items, and makes the processor load what they will be compared with, all at once: to
// wait for each of them in turn takes nearly half the time of a relist.
func (a *applying[T]) prefetch(items []T, keys *[store.Ahead]types.NamespacedName) {
	for i, item := range items {
		keys[i] = KeyOf(item)
	}
	a.tx.Prefetch(keys[:len(items)])
}

// outlive notes that an object stays as it is in a new epoch.
func (a *applying[T]) outlive(key types.NamespacedName) {
	if !a.newEpoch {
		return
	}
	if a.indexer.outlived == nil {
		a.indexer.outlived = make(map[types.NamespacedName]struct{})
	}
	a.indexer.outlived[key] = struct{}{}
}
