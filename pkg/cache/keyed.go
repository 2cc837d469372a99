package cache

import (
	"iter"
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// A keyed holds one W for each key, in the order in which the keys came.
type keyed[W any] struct {
	entries []keyedEntry[W]
	index   map[types.NamespacedName]int
	holes   int // entries that were dropped
}

type keyedEntry[W any] struct {
	key   types.NamespacedName
	inUse bool
	value W
}

func newKeyed[W any]() *keyed[W] {
	return &keyed[W]{index: make(map[types.NamespacedName]int)}
}

func (k *keyed[W]) len() int { return len(k.index) }

// get returns the key's value, or nil. It is valid until the next change.
func (k *keyed[W]) get(key types.NamespacedName) *W {
	if i, ok := k.index[key]; ok {
		return &k.entries[i].value
	}
	return nil
}

// add appends a key that is not there.
func (k *keyed[W]) add(key types.NamespacedName, value W) {
	k.index[key] = len(k.entries)
	k.entries = append(k.entries, keyedEntry[W]{key, true, value})
}

// drop removes a key that is there.
func (k *keyed[W]) drop(key types.NamespacedName) {
	k.entries[k.index[key]] = keyedEntry[W]{}
	delete(k.index, key)
	k.holes++
	if k.holes <= len(k.entries)/2 {
		return
	}
	k.entries = slices.DeleteFunc(k.entries, func(e keyedEntry[W]) bool { return !e.inUse })
	k.holes = 0
	for i, entry := range k.entries {
		k.index[entry.key] = i
	}
}

// all yields the values in order.
func (k *keyed[W]) all() iter.Seq[*W] {
	return func(yield func(*W) bool) {
		for i := range k.entries {
			if k.entries[i].inUse && !yield(&k.entries[i].value) {
				return
			}
		}
	}
}
