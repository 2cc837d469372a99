package clientgo

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/tools/cache"

	engine "github.com/sluice-k8s/sluice/pkg/cache"
)

// indexes are the indexes of a store by name, with the methods of client-go's stores that read them.
type indexes struct {
	indexer *engine.Indexer[*object]

	mu     sync.Mutex // held while indexes are added
	byName atomic.Pointer[map[string]index]
}

// An index is a function of client-go with the engine's index that it fills.
type index struct {
	values  cache.IndexFunc
	entries *engine.Index[*object, string]
}

// AddIndexers adds all indexers, or none if there is one of the same name already.
func (x *indexes) AddIndexers(indexers cache.Indexers) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if taken := sets.KeySet(x.all()).Intersection(sets.KeySet(indexers)); taken.Len() > 0 {
		return fmt.Errorf("indexer conflict: %v", taken)
	}
	x.addAll(indexers)
	return nil
}

func (x *indexes) addAll(indexers cache.Indexers) {
	all := make(map[string]index, len(indexers))
	maps.Copy(all, x.all())
	for name, values := range indexers {
		all[name] = index{values, engine.AddIndex(x.indexer, name, func(o *object) ([]string, error) {
			if value := o.value(); value != nil {
				return values(value)
			}
			return nil, nil
		})}
	}
	x.byName.Store(&all)
}

func (x *indexes) all() map[string]index {
	if all := x.byName.Load(); all != nil {
		return *all
	}
	return nil
}

func (x *indexes) find(name string) (index, error) {
	found, ok := x.all()[name]
	if !ok {
		return index{}, fmt.Errorf("Index with name %s does not exist", name)
	}
	return found, nil
}

// GetIndexers returns the functions of all indexes, in a map of the caller's.
func (x *indexes) GetIndexers() cache.Indexers {
	indexers := make(cache.Indexers)
	for name, index := range x.all() {
		indexers[name] = index.values
	}
	return indexers
}

// Index returns the objects that have a value of the index in common with obj, which need not be in the store.
func (x *indexes) Index(name string, obj any) ([]any, error) {
	index, err := x.find(name)
	if err != nil {
		return nil, err
	}
	values, err := index.values(obj)
	if err != nil {
		return nil, err
	}
	view := index.entries.In(x.indexer.Snapshot())
	if len(values) == 1 {
		return lookup(view, values[0]), nil
	}
	return lookupAll(view, values), nil
}

// ByIndex returns the objects that have the value.
func (x *indexes) ByIndex(name, value string) ([]any, error) {
	index, err := x.find(name)
	if err != nil {
		return nil, err
	}
	return lookup(index.entries.In(x.indexer.Snapshot()), value), nil
}

// IndexKeys returns the sorted keys of the objects that have the value.
func (x *indexes) IndexKeys(name, value string) ([]string, error) {
	index, err := x.find(name)
	if err != nil {
		return nil, err
	}
	view := index.entries.In(x.indexer.Snapshot())
	count := view.Count(value)
	keys, joined := make([]string, 0, count), joiner{left: count}
	for o := range view.Lookup(value) {
		keys = append(keys, joined.join(o.key))
	}
	slices.Sort(keys)
	return keys, nil
}

// ListIndexFuncValues returns the values that any object has.
func (x *indexes) ListIndexFuncValues(name string) []string {
	index, err := x.find(name)
	if err != nil {
		return []string{}
	}
	return slices.AppendSeq([]string{}, index.entries.Values())
}

func lookup(view engine.IndexView[*object, string], value string) []any {
	found := make([]any, 0, view.Count(value))
	for o := range view.Lookup(value) {
		found = append(found, o.value())
	}
	return found
}

// lookupAll returns the objects that have any of the values, each once.
func lookupAll(view engine.IndexView[*object, string], values []string) []any {
	found, seen := []any{}, make(map[*object]struct{})
	for _, value := range values {
		for o := range view.Lookup(value) {
			if _, twice := seen[o]; !twice {
				seen[o] = struct{}{}
				found = append(found, o.value())
			}
		}
	}
	return found
}
